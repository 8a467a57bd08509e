using Pagoda.Core;
using Pagoda.Simulator.Checks;

namespace Pagoda.Simulator.Scenarios;

/// <summary>Who is in a guest's scenario, and how much of everything there is.</summary>
internal sealed record GuestPlan
{
    public int Vcpus { get; init; } = 2;

    /// <summary>Accesses of each vCPU.</summary>
    public int Accesses { get; init; } = 6;

    /// <summary>Turns of the page daemon; 0 for none.</summary>
    public int DaemonTurns { get; init; }

    /// <summary>Daemons at once: who makes room in a fault is one too.</summary>
    public int Daemons { get; init; } = 1;

    /// <summary>The daemon writes pages ahead as well.</summary>
    public bool Launders { get; init; }

    /// <summary>Devices that hold and do nothing else, beside the one that also copies.</summary>
    public int Holders { get; init; }

    /// <summary>Turns of the device that holds and copies.</summary>
    public int DeviceTurns { get; init; }

    /// <summary>Turns of the host that changes the guest.</summary>
    public int ControlTurns { get; init; }

    public ControlWork Control { get; init; }

    /// <summary>Pages, in two parts of the same length.</summary>
    public int Pages { get; init; } = 4;

    /// <summary>Frames of the arena.</summary>
    public int Frames { get; init; } = 96;

    /// <summary>Frames that may be in use; 0 for all. Faults make room for themselves.</summary>
    public int ResidentFrames { get; init; }

    /// <summary>Every other vCPU is of a second guest, which shows the same memory.</summary>
    public bool Shared { get; init; }

    /// <summary>Swap slots; 0 for memory that cannot be swapped.</summary>
    public uint Slots { get; init; }

    /// <summary>One transfer in so many fails; 0 for none.</summary>
    public int FailsOneIn { get; init; }

    /// <summary>Another actor destroys the guest meanwhile.</summary>
    public bool Destroys { get; init; }

    /// <summary>Each vCPU gives its slot up when it has done its accesses, or cannot do them any more.</summary>
    public bool Leaves { get; init; }

    /// <summary>Turns of an actor that drops the content of parts which stay mapped.</summary>
    public int DropTurns { get; init; }

    /// <summary>
    /// The first part is a whole window, of which all but its accessed pages are there already: the last of those makes
    /// it a superpage.
    /// </summary>
    public bool Superpages { get; init; }

    /// <summary>The access by which those pages came.</summary>
    public Prot PopulatedBy { get; init; } = Prot.Write;

    /// <summary>0 EPT, 1 EPT with emulated bits, 2 RVI; -1: the seed says.</summary>
    public int Format { get; init; } = -1;

    /// <summary>Every page is written before the schedule begins.</summary>
    public bool Warm { get; init; } = true;

    /// <summary>And stored in its slot, so that it is clean.</summary>
    public bool Clean { get; init; }

    /// <summary>The daemon ages, and takes nothing.</summary>
    public bool OnlyAges { get; init; }

    public int TypicalSteps { get; init; } = 3000;
}
