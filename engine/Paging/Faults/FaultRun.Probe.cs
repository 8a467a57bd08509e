using System;
using System.Numerics;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;

namespace Pagoda.Faults;

/// <summary>Stage 1: what the tables say already.</summary>
internal unsafe ref partial struct FaultRun
{
    /// <summary>Ends the lanes whose access the tables allow, or would allow with A or M set.</summary>
    private void Probe()
    {
        ref readonly PteFormat format = ref _pmap.Format;
        FaultLanes* lanes = _lanes;
        LookUp();
        for (ulong set = _pending; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            ulong gpa = _gpa[lane];
            ulong entry = lanes->Entry[lane];
            int level = lanes->Level[lane];
            bool emulates = format.EmulatesAd;
            Prot access = _access[lane];
            if (entry == 0) continue;
            if (!(emulates ? format.GrantsUnparked(entry, access) : format.Grants(entry, access))) continue;
            FaultStatus status = emulates ? Emulate(gpa, access) : FaultStatus.Spurious;
            // Changed since: the rest of the pipeline looks again under the lock.
            if (status == FaultStatus.NoMapping) continue;
            ulong offset = gpa & ((1UL << Paging.LevelShift(level)) - 1);
            End(lane, status, (format.LeafFrame(entry, level) | offset) & ~(ulong)Paging.PageOffsetMask);
        }
    }

    /// <summary>Walks for all lanes, side by side.</summary>
    private readonly void LookUp()
    {
        FaultLanes* lanes = _lanes;
        if (_count > 1)
        {
            _pmap.LookupBatch(new ReadOnlySpan<ulong>(_gpa, _count), new Span<ulong>(lanes->Entry, _count),
                new Span<byte>(lanes->Level, _count));
            return;
        }
        lanes->Entry[0] = _pmap.Lookup(_gpa[0], out int level);
        lanes->Level[0] = (byte)level;
    }

    private FaultStatus Emulate(ulong gpa, Prot access)
    {
        AdEmulation result;
        do
        {
            result = _pmap.EmulateAccess(gpa, access);
            if (result == AdEmulation.WriteParked)
                result = _pmap.EmulateParkedWrite(gpa, access, _consumer.Frames);
        }
        while (result == AdEmulation.WriteParked);
        switch (result)
        {
            case AdEmulation.SetAccessed:
                _consumer.Counters.Add(Counter.AccessedEmulations, 1);
                PromoteEmulated(gpa);
                return FaultStatus.Emulated;
            case AdEmulation.SetModified:
                _consumer.Counters.Add(Counter.DirtyEmulations, 1);
                PromoteEmulated(gpa);
                return FaultStatus.Emulated;
            case AdEmulation.SetSuperpageAccessed:
                _consumer.Counters.Add(Counter.SuperpageAccessedEmulations, 1);
                return FaultStatus.Emulated;
            case AdEmulation.AlreadySet:
                return FaultStatus.Spurious;
            default:
                return FaultStatus.NoMapping;
        }
    }
}
