namespace Pagoda.Machine.Apic;

/// <summary>What an interrupt message is (Intel SDM volume 3, "Interrupt Command Register").</summary>
public enum DeliveryMode : byte
{
    /// <summary>The interrupt of its vector.</summary>
    Fixed = 0,

    /// <summary>The interrupt of its vector, for the destination with the lowest priority.</summary>
    LowestPriority = 1,

    /// <summary>System management: there is none here.</summary>
    Smi = 2,

    /// <summary>A non-maskable interrupt.</summary>
    Nmi = 4,

    /// <summary>INIT: the processor resets and waits for its start.</summary>
    Init = 5,

    /// <summary>The start of a processor that waits; the vector is the page of its first instruction.</summary>
    Startup = 6,
}
