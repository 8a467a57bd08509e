namespace Pagoda.Pagers;

/// <summary>What a pager did with one page of a batch.</summary>
public enum PagerStatus : byte
{
    /// <summary>Read: the frame holds the page. Write: the page is stored.</summary>
    Ok = 0,

    /// <summary>
    /// Read: the page is all zero; the frame need not have been touched. Write: it was, so nothing had to be stored.
    /// </summary>
    Zero,

    /// <summary>Read: the page is lost, and is poisoned. Write: not stored; the frame stays what it is.</summary>
    Error,

    /// <summary>Write: no room is left; the frame stays what it is. Discarding pages makes room.</summary>
    Full,
}
