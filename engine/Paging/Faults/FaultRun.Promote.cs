using System.Runtime.CompilerServices;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Tlb;

namespace Pagoda.Faults;

/// <summary>Trying to make a superpage of a window that may have become whole.</summary>
internal unsafe ref partial struct FaultRun
{
    /// <summary>After the entries of a window, under its lock.</summary>
    private void PromoteIfEntered(in WindowLock window, ref ShootdownGather gather)
    {
        if (!_entered) return;
        _entered = false;
        _promoted |= _pmap.Promote(in window, _consumer.Frames, ref gather) == PromotionResult.Promoted;
    }

    /// <summary>After the emulation set a mark. Counted whether or not a superpage comes of it.</summary>
    private void PromoteEmulated(ulong gpa)
    {
        if (!_pmap.Format.Superpages) return;
        var gather = new ShootdownGather(_space.Consumers, _space.Limbo);
        PromotionResult result = _pmap.Promote(gpa, _consumer.Frames, ref gather);
        if (result == PromotionResult.NotEligible) return;
        _consumer.Counters.Add(Counter.AdEmulationSuperpagePromotions, 1);
        _promoted |= result == PromotionResult.Promoted;
        gather.Commit();
    }

    /// <summary>Outside the slot: leaf tables that promotions retired are free again, now and then.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RecycleTables()
    {
        _promoted = false;
        if (_space.Limbo.Count >= Limbo.RetiredMax) _space.Limbo.Recycle();
    }
}
