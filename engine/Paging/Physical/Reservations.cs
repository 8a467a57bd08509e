using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>
/// Aligned runs of 512 frames that are set aside for 512 pages of one object, so that the pages lie as a superpage
/// needs them once all are there.
/// </summary>
/// <remarks>
/// <para>
/// A run is made at the first touch of its pages, if one is free; its frames are zeroed then, and each page takes the
/// one in its place. A frame that was taken belongs to its page alone and goes its own way afterwards: the reservation
/// is over when every frame was taken, when its object lets it go, or when memory is short and the frames that nobody
/// took yet are given to others, those of the reservation that was used least recently first.
/// </para>
/// <para>
/// The owner has a cell for each run: 0 for none, <see cref="Making"/>, or the run's first frame. A record for each
/// aligned run of the arena says which cell it is reserved through. Any thread may call anything here. A record's lock
/// is held for a few hundred instructions, and nothing but the allocator's is taken inside it.
/// </para>
/// </remarks>
[AllocationFree]
public sealed unsafe partial class Reservations : System.IDisposable
{
    /// <summary>In a cell: somebody is making the run. No run starts at frame 1.</summary>
    public const uint Making = 1;

    /// <summary>Bookkeeping bytes of one aligned run.</summary>
    public static int BytesPerRun => sizeof(Record) + sizeof(ulong);

    private const int MapWords = Core.Paging.WindowPages / 64;

    private readonly FrameTable _frames;
    private readonly FrameAllocator _allocator;
    private readonly byte* _base;
    private readonly NativeRegion _region;
    private readonly State* _state;
    private readonly Record* _records;
    private readonly NativeRegion _stampRegion;
    private readonly ulong* _stamps;    // by run; 0: not reserved
    private readonly int _runs;

    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct State
    {
        [FieldOffset(0)] public ulong Tick;
        [FieldOffset(8)] public ulong Active;
        [FieldOffset(16)] public ulong Made;
        [FieldOffset(24)] public ulong Broken;
    }

    /// <summary>One run; two lines, so that faults in different windows share none.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Record
    {
        [FieldOffset(0)] public uint Lock;
        [FieldOffset(4)] public uint Taken;
        [FieldOffset(8)] public uint* Cell;
        [FieldOffset(16)] public ulong FirstPage;
        [FieldOffset(64)] public fixed ulong Map[MapWords];
    }

    internal Reservations(FrameTable frames, FrameAllocator allocator, byte* directMap)
    {
        _frames = frames;
        _allocator = allocator;
        _base = directMap;
        _runs = (int)(frames.FrameCount >> Core.Paging.WindowOrder);
        _region = NativeRegion.Map((nuint)(sizeof(State) + (long)_runs * sizeof(Record)));
        _state = (State*)_region.Base;
        _records = (Record*)(_region.Base + sizeof(State));
        _stampRegion = NativeRegion.Map((nuint)(long.Max(_runs, 1) * sizeof(ulong)));
        _stamps = (ulong*)_stampRegion.Base;
        _state->Tick = 1;
    }

    /// <summary>Runs with frames that nobody took yet, at this moment.</summary>
    public ulong Active => Shared.Load(&_state->Active);

    /// <summary>
    /// Frames that are set aside and that nobody took yet, at about this moment: free in all but name. Counted anew,
    /// since a counter would be a line that every fault writes.
    /// </summary>
    public ulong UnusedFrames
    {
        get
        {
            if (Active == 0) return 0;
            ulong unused = 0;
            for (int i = 0; i < _runs; i++)
            {
                if (Shared.Load(_stamps + i) == 0) continue;
                unused += Core.Paging.WindowPages - Shared.Load(&_records[i].Taken);
            }
            return unused;
        }
    }

    /// <summary>Runs that were made.</summary>
    public ulong Made => Shared.Load(&_state->Made);

    /// <summary>Runs whose rest was given to others because memory was short.</summary>
    public ulong Broken => Shared.Load(&_state->Broken);

    /// <summary>Unmaps the records. Nobody reserves any more.</summary>
    public void Dispose()
    {
        _region.Dispose();
        _stampRegion.Dispose();
    }

    private Record* RecordOf(uint run) => _records + (run >> Core.Paging.WindowOrder);

    private ulong* StampOf(uint run) => _stamps + (run >> Core.Paging.WindowOrder);
}
