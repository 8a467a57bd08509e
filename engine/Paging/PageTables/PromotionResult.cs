namespace Pagoda.PageTables;

/// <summary>What an attempt to make one superpage of 512 leaves came to.</summary>
public enum PromotionResult : byte
{
    /// <summary>A superpage maps the window now.</summary>
    Promoted = 0,

    /// <summary>Nothing to do, and not counted: no superpages here, leaves are missing, the memory is a device's, or a
    /// superpage is there already.</summary>
    NotEligible,

    /// <summary>The frames are not 512 in a row from a 2 MiB boundary on.</summary>
    Scattered,

    /// <summary>A leaf was not used yet.</summary>
    NotAccessed,

    /// <summary>Rights, memory type or wiring differ, or some leaves were written and some not.</summary>
    Different,

    /// <summary>A leaf was written at this moment.</summary>
    Raced,

    /// <summary>No frame for the reserve of a wired superpage.</summary>
    NoFrame,
}
