namespace Pagoda.AddressSpace;

/// <summary>
/// The states of a page of a VM object. The table of what may follow what is in <see cref="PageWord"/>.
/// </summary>
public enum PageState : byte
{
    /// <summary>Never touched: the pager says what is in it.</summary>
    Absent = 0,

    /// <summary>Known to be all zero; in no frame and no slot.</summary>
    Zero = 1,

    /// <summary>Claimed by a fault, or by a discard, that will publish it; nobody else touches it.</summary>
    Busy = 2,

    /// <summary>In a frame. Payload: the frame.</summary>
    Resident = 3,

    /// <summary>With the pager. Payload: the slot.</summary>
    Swapped = 4,

    /// <summary>Being taken out of its frame by its one owner. Payload: the frame.</summary>
    Evicting = 5,

    /// <summary>Being written out, and staying, by its one owner. Payload: the frame.</summary>
    Laundering = 6,

    /// <summary>Lost. Payload: the reason.</summary>
    Poisoned = 7,
}
