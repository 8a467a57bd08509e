using System;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>
/// Where the pages of a VM object come from and go to. Hosts bring their own: a file, a network store, a compressor.
/// </summary>
/// <remarks>
/// Pages are read and written by the thread that faults, or by reclaim, with no lock held and outside every consumer
/// slot, so a call may take as long as it must; other faults on the same pages wait for it. Several threads call at
/// once, never for the same page at the same time. A pager does not call back into the guest. What it throws reaches
/// the caller of the fault; the batch's pages are as before then. Implementations that allocate on the managed heap
/// make faults allocate.
/// <para>Content is discarded by whoever takes it away: who unmaps memory, advises, or ends an object or a guest. The
/// maps of the guests that show it are locked against changes meanwhile, so such a call returns soon and waits for
/// nothing that changes a guest. What it throws reaches that caller when everything else is done; the pager is not told
/// of the pages behind the one at which it threw. They go all the same, but for an advice: that is carried out in part,
/// and memory that stays mapped may keep its content.</para>
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
