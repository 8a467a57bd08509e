using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Faults;

/// <summary>Stage 2: what the map says.</summary>
internal unsafe ref partial struct FaultRun
{
    /// <summary>Finds entry, object and page of every lane; ends those that the map does not allow.</summary>
    /// <remarks>
    /// All lanes are located in one generation of the map, which later stages compare under the window's lock. Objects
    /// found here live as long as the consumer stays in its slot.
    /// </remarks>
    private void Locate()
    {
        FaultLanes* lanes = _lanes;
        int count = LaneOrder.Sort(_gpa, _pending, lanes->Order);
        MapEntry entry = default;
        VmObject? memory = null;
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            int lane = lanes->Order[i];
            ulong gpa = _gpa[lane];
            if (gpa - entry.Start >= entry.Length)
            {
                bool found = _consumer.TryFind(gpa, out entry, out memory, out ulong generation);
                if (kept == 0) _generation = generation;
                if (generation != _generation)
                {
                    RestartFrom(i, count);
                    break;
                }
                if (!found)
                {
                    End(lane, FaultStatus.NoMapping);
                    continue;
                }
            }
            Prot access = _access[lane];
            if ((access & ~entry.Prot) != 0)
            {
                End(lane, FaultStatus.Protection);
                continue;
            }
            lanes->Order[kept++] = (byte)lane;
            lanes->Page[lane] = entry.PageAt(gpa);
            lanes->Object[lane] = entry.Kind == MapKind.Device ? 0 : memory!.Id;
            lanes->Prot[lane] = (byte)entry.Prot;
            lanes->Access[lane] = (byte)access;
            lanes->Word[lane] = 0;
            if (entry.Wires == 0) _wired &= ~(1UL << lane);
            else _wired |= 1UL << lane;
            _memory = memory;
            NoteWhole(lane, in entry);
            if (entry.Kind == MapKind.Memory) FindWord(memory!, lane);
        }
        _ordered = kept;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void FindWord(VmObject memory, int lane)
    {
        ulong* word = memory.FindWord(_lanes->Page[lane]);
        _lanes->Word[lane] = (ulong)word;
        // The claim reads it only after every lane was located and its window locked.
        if (Sse.IsSupported && word != null) Sse.Prefetch0(word);
    }

    private void RestartFrom(int first, int count)
    {
        for (int i = first; i < count; i++) Restart(_lanes->Order[i]);
        _metEdit = true;
    }

    /// <summary>The object of a lane. It lives: the consumer is in the slot, or owns the lane's Busy page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private VmObject ObjectOf(int lane)
    {
        uint id = _lanes->Object[lane];
        if (_memory is null || _memory.Id != id) _memory = _space.Objects.Find(id);
        Invariant.Require(_memory is not null);
        return _memory;
    }
}
