namespace Pagoda.Pagers;

/// <summary>What a pager did with one page of a batch.</summary>
public enum PagerStatus : byte
{
    /// <summary>Read: the frame holds the page. Write: the page is stored.</summary>
    Ok = 0,

    /// <summary>Read: the page is all zero; the frame need not have been touched.</summary>
    Zero,

    /// <summary>Read: the page is lost, and is poisoned. Write: not stored; the frame stays what it is.</summary>
    Error,
}
