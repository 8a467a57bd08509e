using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>Where swap slots lie: a file, a block device, or what a host brings.</summary>
/// <remarks>
/// Slots are a page long and numbered from 1. Any thread may call, several at once for different slots. A call may be
/// slow, and may do less than it was asked for without an error: the pager asks again for the rest, and takes a call
/// that did nothing for a failure.
/// </remarks>
[AllocationFree]
public unsafe interface ISwapStore
{
    /// <summary>Slots from 1 to this can be used.</summary>
    uint Slots { get; }

    /// <summary>What a checksum is mixed with, so that content of an earlier use of the store never verifies.</summary>
    ulong Nonce { get; }

    /// <summary>Reads neighbouring slots into frames.</summary>
    /// <param name="first">The first slot.</param>
    /// <param name="pages">Where each slot goes: page-aligned pointers.</param>
    /// <param name="count">How many, at most <see cref="SwapPager.ClusterMax"/>.</param>
    /// <param name="done">Whole pages read.</param>
    /// <returns>0 or the errno of the first page that was not read.</returns>
    int Read(uint first, byte** pages, int count, out int done);

    /// <summary>Writes frames to neighbouring slots.</summary>
    /// <param name="first">The first slot.</param>
    /// <param name="pages">Where each slot comes from: page-aligned pointers.</param>
    /// <param name="count">How many, at most <see cref="SwapPager.ClusterMax"/>.</param>
    /// <param name="done">Whole pages written.</param>
    /// <returns>0 or the errno of the first page that was not written.</returns>
    int Write(uint first, byte** pages, int count, out int done);
}
