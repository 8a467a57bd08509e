using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tlb;

namespace Pagoda.Faults;

/// <summary>Stage 5: supplied pages become Resident, and are entered if the map still shows them there.</summary>
internal unsafe ref partial struct FaultRun
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Publish()
    {
        if (_claimed == 0)
        {
            if (_aheads != 0) PublishAheads();
            _zeros = 0;
            return;
        }
        if (!_consumer.TryEnter())
        {
            ulong set = _claimed;
            GiveUp();
            End(set, FaultStatus.Destroyed);
            _zeros = 0;
            return;
        }
        FaultLanes* lanes = _lanes;
        var gather = new ShootdownGather(_space.Consumers, _space.Limbo);
        int first = 0;
        while (first < _ordered)
        {
            ulong window = _gpa[lanes->Order[first]] >> Paging.WindowShift;
            int end = first;
            ulong set = 0;
            for (; end < _ordered && _gpa[lanes->Order[end]] >> Paging.WindowShift == window; end++)
            {
                set |= 1UL << lanes->Order[end] & _claimed;
            }
            if (set != 0) PublishWindow(set, ref gather);
            first = end;
        }
        if (_aheads != 0) PublishAheads();
        _consumer.Exit();
        gather.Commit();
        _zeros = 0;
        Invariant.Assert(_claimed == 0);
    }

    private void PublishWindow(ulong set, ref ShootdownGather gather)
    {
        ulong gpa = _gpa[BitOperations.TrailingZeroCount(set)];
        // The tables of the claim may be gone: a removal takes empty ones away.
        bool locked = _pmap.LockWindow(gpa, _consumer.Frames, out WindowLock window) == PmapStatus.Ok;
        bool current = _space.Map.Generation == _generation;
        if (_aheads != 0 && locked && current) EnterAheads(set, ref window, ref gather);
        for (; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            ulong hpa = (ulong)_lanes->Frame[lane] << Paging.PageShift;
            if (locked && current) EnterPage(lane, hpa, ref window, ref gather);
            else if (locked) Restart(lane);
            else Starve(lane);
            ulong* word = (ulong*)_lanes->Word[lane];
            // In front of the publication: a harvest finds the mark in the word or on the frame.
            if ((Shared.Load(word) & PageWord.Written) != 0) _space.Arena.Frames.SetWritten(_lanes->Frame[lane]);
            // Last: while the word is Busy nobody takes the page away, so the entry above was made of a page that is.
            PageWord.Publish(word, PageWord.Resident(hpa));
            _claimed &= ~(1UL << lane);
        }
        if (locked)
        {
            PromoteIfEntered(in window, ref gather);
            _pmap.Unlock(in window);
        }
        _metEdit |= !current;
    }
}
