namespace Pagoda.AddressSpace;

/// <summary>Why a change of a guest's map was refused.</summary>
public enum MapError : byte
{
    /// <summary>An address, an offset or a length is no multiple of the page size.</summary>
    Unaligned,

    /// <summary>The length is 0.</summary>
    ZeroLength,

    /// <summary>The range ends beyond the 64-bit address space.</summary>
    Overflow,

    /// <summary>The range ends beyond what the guest's tables can translate, or its physical address width.</summary>
    BeyondAddressWidth,

    /// <summary>Something is mapped there already.</summary>
    Overlap,

    /// <summary>Part of the range is not mapped.</summary>
    NotMapped,

    /// <summary>The format cannot express the rights, or what is mapped never allows them.</summary>
    Rights,

    /// <summary>The range ends beyond the end of the object.</summary>
    ObjectRange,

    /// <summary>The object belongs to another arena, or was disposed.</summary>
    WrongObject,

    /// <summary>The map holds as many entries as it can.</summary>
    TooManyEntries,

    /// <summary>The guest was disposed.</summary>
    Destroyed,

    /// <summary>Part of the range is wired, and has to stay.</summary>
    Wired,

    /// <summary>Part of the range is not wired.</summary>
    NotWired,

    /// <summary>Part of the range is wired as often as can be counted.</summary>
    TooManyWires,

    /// <summary>Part of the range is a device, which has no pages to keep.</summary>
    Device,

    /// <summary>There is no frame for a page of the range, and nothing that could be taken away for it.</summary>
    NoMemory,

    /// <summary>A page of the range is lost: its pager could not read it.</summary>
    PageLost,
}
