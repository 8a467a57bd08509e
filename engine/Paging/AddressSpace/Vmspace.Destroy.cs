using System;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>The end of a guest.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>
    /// Ends the space: marks it, waits until every consumer has left its slot and every call is over, then frees
    /// tables, pages and objects. Frames that are held stay, and are freed by their release. Doing it twice is
    /// harmless.
    /// </summary>
    public void Dispose()
    {
        TakeChangeLock();
        try
        {
            if (!_destroyed) Destroy();
        }
        finally
        {
            _destroyed = true;
            UnlockChanges();
        }
    }

    private void Destroy()
    {
        // From here on nobody enters: entry writes its word first and tests the mark second.
        bool first = Consumers.BeginDestroy();
        Invariant.Require(first);
        Consumers.WaitAllInactive();
        for (int slot = 0; slot < _consumers.Length; slot++)
        {
            VmspaceConsumer? consumer = Shared.Load(ref _consumers[slot]);
            if (consumer is null) continue;
            // A fault that waits for a pager is outside its slot, and comes back to find the mark.
            if (!Planted.Is(PlantedFault.DestroyWithoutWait)) consumer.WaitForCall();
            consumer.Frames.Drain();
        }

        ulong end = 1UL << AddressBits;
        Map.BeginEdit();
        Departure[] departures = TakeOut(0, end);
        Map.EndEdit();
        // No consumer is left, so no slot is needed. The removal moves M to the frames: objects may live on elsewhere.
        var gather = new ShootdownGather(Consumers, Limbo);
        Pmap.Remove(0, end, _control.Frames, ref gather);
        gather.CommitAndWait();
        Limbo.Recycle();
        // Who comes now is in its slot until it sees the mark, and holds what is in limbo back for that moment.
        var wait = default(Wait);
        while (Limbo.Count != 0)
        {
            wait.Step();
            Limbo.Recycle();
        }
        Limbo.Dispose();
        _control.Frames.Drain();
        _lastStatistics = Pmap.GetStatistics() with { TablePages = 0 };
        Pmap.Dispose();
        try
        {
            LetGo(departures);
        }
        finally
        {
            Map.Dispose();
            Neighbours.Remove(this);
        }
    }
}
