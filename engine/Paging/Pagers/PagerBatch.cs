using System;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>
/// Pages that a pager reads or writes: a view over columns of equal length. Lane i of each is page i.
/// </summary>
/// <remarks>Stack only. The frames belong to the pager until it returns, and to nobody else.</remarks>
[AllocationFree]
public readonly unsafe ref struct PagerBatch
{
    /// <summary>Indexes in the object, in pages, ascending, no two equal.</summary>
    public readonly ReadOnlySpan<ulong> Pages;

    /// <summary>The frame of each page, by number.</summary>
    public readonly ReadOnlySpan<uint> Frames;

    /// <summary>Out: what became of each page. Starts as <see cref="PagerStatus.Error"/>.</summary>
    public readonly Span<PagerStatus> Status;

    private readonly byte* _directMap;

    /// <summary>Makes the view. Every status is set to Error, so that a lane the pager forgets is no success.</summary>
    /// <param name="directMap">The host address of HPA 0.</param>
    /// <param name="pages">Indexes in the object.</param>
    /// <param name="frames">Frames.</param>
    /// <param name="status">Results.</param>
    public PagerBatch(byte* directMap, ReadOnlySpan<ulong> pages, ReadOnlySpan<uint> frames, Span<PagerStatus> status)
    {
        Invariant.Require(pages.Length == frames.Length);
        Invariant.Require(pages.Length == status.Length);
        _directMap = directMap;
        Pages = pages;
        Frames = frames;
        Status = status;
        status.Fill(PagerStatus.Error);
    }

    /// <summary>How many pages.</summary>
    public int Count => Pages.Length;

    /// <summary>The first byte of a lane's frame, page-aligned.</summary>
    public byte* Page(int lane) => _directMap + ((ulong)Frames[lane] << Paging.PageShift);

    /// <summary>The 4096 bytes of a lane's frame.</summary>
    public Span<byte> Bytes(int lane) =>
        new(Page(lane), (int)Paging.PageBytes);
}
