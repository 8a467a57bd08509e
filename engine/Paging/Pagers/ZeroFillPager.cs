using System;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>
/// The pager of fresh memory: every page is zero, nothing can be stored. The fault path never calls it.
/// </summary>
public sealed class ZeroFillPager : IPager
{
    private ZeroFillPager()
    {
    }

    /// <summary>The one instance: it has no state.</summary>
    public static ZeroFillPager Instance { get; } = new();

    /// <inheritdoc/>
    [AllocationFree]
    public void Read(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Zero);

    /// <inheritdoc/>
    [AllocationFree]
    public void Write(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Error);

    /// <inheritdoc/>
    [AllocationFree]
    public void Discard(ReadOnlySpan<ulong> pages)
    {
    }
}
