using System;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>
/// What backs a mapped range: a run of pages, where each of them is now, and the pager that knows the rest. One object
/// may be mapped at several addresses and in several guests; they share its pages.
/// </summary>
/// <remarks>
/// <code>
///   directory: one frame number (4 bytes) a window       index frames: 512 page words (8 bytes) each
///   +-----+-----+-----+----                              +------+------+------+----
///   |  0  |  17 |  0  | ...      17 ------------------>  | word | word | word | ...     PageWord says what is in one
///   +-----+-----+-----+----                              +------+------+------+----
/// </code>
/// An index frame comes from the arena at the first touch of its window and stays until the object goes. The directory
/// is address space until then: an object of a TiB costs nothing before it is used. A summary in front of it has a bit
/// for every 1024 windows, set with the first of them, so that a sweep costs what was touched and not what there is.
/// <para>An object lives while its maker has not disposed it or a map entry shows it. Page words and directory may be
/// read inside a consumer slot of a vmspace whose map showed the object in that slot: who takes the last entry away
/// waits for all of those, and then for every Busy page, before the object goes.</para>
/// </remarks>
public sealed unsafe partial class VmObject : IDisposable
{
    /// <summary>Pages of an object at most: a frame record holds 32 bits of page index.</summary>
    public const ulong PagesMax = 1UL << 32;

    // 1024 windows are one page of the directory.
    private const int SummaryShift = 10;
    private const ulong WindowsPerSummaryWord = 64UL << SummaryShift;
    private const ulong LineBytes = 64;

    private readonly NativeRegion? _directory;
    private readonly ulong* _summary;
    private readonly uint* _windows;
    private readonly uint* _runs;
    private readonly byte* _directMap;
    private readonly FrameTable _frames;
    private readonly VmObjectTable _table;
    private readonly bool _ownsPager;
    private uint _references = 1;
    private uint _disposed;

    /// <summary>Makes an object without pages.</summary>
    /// <param name="arena">Where its frames come from.</param>
    /// <param name="lengthBytes">A multiple of the page size, not 0, at most 16 TiB.</param>
    /// <param name="pager">Where its content comes from; none for zeros.</param>
    /// <exception cref="MapException">The length is wrong.</exception>
    /// <exception cref="ArgumentException">A swap pager is shorter than the object, or another's already.</exception>
    /// <exception cref="InsufficientMemoryException">The system gives no address space for the directory.</exception>
    public VmObject(Arena arena, ulong lengthBytes, IPager? pager = null)
        : this(arena, lengthBytes, pager ?? ZeroFillPager.Instance, ownsPager: false, isPrivate: false)
    {
    }

    internal VmObject(Arena arena, ulong lengthBytes, IPager pager, bool ownsPager, bool isPrivate)
    {
        ArgumentNullException.ThrowIfNull(arena);
        MapException.RequireLength("A VM object", 0, lengthBytes);
        bool isMemory = pager is not DevicePager;
        if (isMemory && lengthBytes >> Paging.PageShift > PagesMax) throw MapException.ObjectTooLong(lengthBytes);
        if (pager is SwapPager swap) RequirePager(swap, lengthBytes);
        Arena = arena;
        LengthPages = lengthBytes >> Paging.PageShift;
        Pager = pager;
        IsZeroFill = ReferenceEquals(pager, ZeroFillPager.Instance);
        IsAbsentZero = IsZeroFill || pager is SwapPager;
        IsPrivate = isPrivate;
        _ownsPager = ownsPager;
        _frames = arena.Frames;
        _directMap = arena.Base;
        if (isMemory)
        {
            ulong summaryBytes = (SummaryWordsOf(LengthPages) * sizeof(ulong) + LineBytes - 1) & ~(LineBytes - 1);
            // A cell for each window's index frame, then one for each run; runs may begin in the middle of a window.
            ulong windows = WindowsOf(LengthPages);
            _directory = NativeRegion.Map((nuint)(summaryBytes + (2 * windows + 1) * sizeof(uint)));
            _summary = (ulong*)_directory.Base;
            _windows = (uint*)(_directory.Base + summaryBytes);
            _runs = _windows + windows;
        }
        _table = VmObjectTable.Of(arena);
        Id = _table.Add(this);
    }

    /// <summary>The arena of its frames.</summary>
    [AllocationFree]
    public Arena Arena { get; }

    /// <summary>Names the object in frame records; never 0.</summary>
    [AllocationFree]
    public uint Id { get; }

    /// <summary>Pages, resident or not.</summary>
    [AllocationFree]
    public ulong LengthPages { get; }

    /// <summary>Bytes.</summary>
    public ulong LengthBytes => LengthPages << Paging.PageShift;

    /// <summary>Where its content comes from.</summary>
    [AllocationFree]
    public IPager Pager { get; }

    /// <summary>Nobody stores pages: those without a frame are zero.</summary>
    [AllocationFree]
    internal bool IsZeroFill { get; }

    /// <summary>Absent pages are zero: the pager is not asked. What it stored is Swapped, never Absent.</summary>
    [AllocationFree]
    internal bool IsAbsentZero { get; }

    /// <summary>Made by one mapping and known to nobody else: a page that is unmapped has no further use.</summary>
    internal bool IsPrivate { get; }

    /// <summary>The device range behind it; null for memory.</summary>
    internal DevicePager? Device => Pager as DevicePager;

    /// <summary>
    /// Lets the object go: its pages are freed as soon as no guest maps it. Disposing twice is harmless.
    /// </summary>
    public void Dispose()
    {
        if (Shared.CompareExchange(ref _disposed, 1, 0) == 0) Release();
    }

    /// <summary>Adds a reference: a map shows the object. False: the object is gone already.</summary>
    internal bool TryReference()
    {
        uint references = Shared.Load(ref _references);
        while (references != 0)
        {
            uint found = Shared.CompareExchange(ref _references, references + 1, references);
            if (found == references) return true;
            references = found;
        }
        return false;
    }

    /// <summary>Takes a reference away; the last one frees every page. The caller is in no consumer slot.</summary>
    internal void Release()
    {
        uint references = Shared.Load(ref _references);
        while (true)
        {
            Invariant.Require(references != 0);
            uint found = Shared.CompareExchange(ref _references, references - 1, references);
            if (found == references) break;
            references = found;
        }
        if (references == 1) Destroy();
    }

    private static void RequirePager(SwapPager pager, ulong lengthBytes)
    {
        if (pager.Pages < lengthBytes >> Paging.PageShift)
        {
            throw new ArgumentException("The swap pager has " + pager.Pages + " pages, too few for an object of "
                + lengthBytes + " bytes: make it as long as the object.", nameof(pager));
        }
        if (pager.TryAttach()) return;
        throw new ArgumentException("The swap pager is another object's: make one for each.", nameof(pager));
    }

    private void Destroy()
    {
        var device = Pager as DevicePager;
        device?.Remove();
        try
        {
            if (device is null) Drop(0, LengthPages);
        }
        finally
        {
            if (device is null) FreeIndex();
            _table.Remove(Id);
            if (_ownsPager && Pager is IDisposable disposable) disposable.Dispose();
            _directory?.Dispose();
        }
    }

    [AllocationFree]
    private static ulong SummaryWordsOf(ulong pages) =>
        (WindowsOf(pages) + WindowsPerSummaryWord - 1) / WindowsPerSummaryWord;

    [AllocationFree]
    private static ulong WindowsOf(ulong pages) =>
        (pages + PageWord.WordsPerWindow - 1) >> PageWord.WindowShift;
}
