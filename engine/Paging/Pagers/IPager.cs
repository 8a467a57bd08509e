using System;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>
/// Where the pages of a VM object come from and go to. Hosts bring their own: a file, a network store, a compressor.
/// </summary>
/// <remarks>
/// Called by the thread that faults, or by reclaim, with no lock held and outside every consumer slot, so a call may
/// take as long as it must; other faults on the same pages wait for it. Several threads call at once, never for the
/// same page at the same time. A pager does not call back into the guest. What it throws reaches the caller of the
/// fault; the batch's pages are as before then. Implementations that allocate on the managed heap make faults
/// allocate.
/// </remarks>
[AllocationFree]
public interface IPager
{
    /// <summary>Fills every frame of the batch with its page, or says why not, lane by lane.</summary>
    void Read(in PagerBatch batch);

    /// <summary>Stores every page of the batch, or says why not, lane by lane. The frames are not changed.</summary>
    void Write(in PagerBatch batch);

    /// <summary>The content of these pages, ascending, is no longer needed: a later read may yield anything.</summary>
    void Discard(ReadOnlySpan<ulong> pages);
}
