using Pagoda.Core;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;
using Pagoda.Tlb;

namespace Pagoda.Simulator.Checks;

/// <summary>A consumer with a TLB of one translation, which it uses between its polls.</summary>
internal sealed unsafe class TranslationConsumer : IStoreObserver
{
    private readonly Stage _stage;
    private readonly ConsumerTable _table;
    private readonly ulong* _entry;
    private readonly ulong* _page;
    private readonly bool[] _taken;
    private readonly int _slot;
    private ulong _seen;
    private ulong _tlb;

    public TranslationConsumer(Stage stage, ConsumerTable table, ulong* entry, bool[] taken, int index)
    {
        _stage = stage;
        _table = table;
        _entry = entry;
        _page = stage.Cell();
        _taken = taken;
        _ = table.TryRegister(out _slot);
        _stage.Require(_slot == index, "slots are given out in order");
        stage.Scheduler.Observer = this;
    }

    public void Run(int turns, Rng choices)
    {
        for (int turn = 0; turn < turns; turn++)
        {
            if (!_table.Enter(_slot, ref _seen, out bool flush)) return;
            if (flush) Flush();
            int uses = 1 + choices.Below(3);
            for (int use = 0; use < uses; use++)
            {
                Use(store: choices.OneIn(2));
                if (!choices.OneIn(2) || !_table.MustFlush(_slot, ref _seen)) continue;
                // A flush takes time: what it has not reached yet may still be used.
                if (Planted.Is(PlantedFault.AcknowledgedBeforeFlush)) Use(store: true);
                Flush();
            }
            _table.Exit(_slot);
        }
    }

    /// <inheritdoc/>
    public void Visible(in PendingStore store) => Check((ulong)store.Access.Page, "a store");

    private void Flush()
    {
        _tlb = 0;
        _table.Acknowledge(_slot, _seen);
    }

    private void Use(bool store)
    {
        if (_tlb == 0) _tlb = Shared.Load(_entry);
        if (store) GuestMemory.Store(_page, 1, new TranslatedAccess(_slot, (int)_tlb, 0, 0, 0, 0));
        else _ = Shared.Load(_page);
        Check(_tlb, store ? "a store" : "a load");
    }

    private void Check(ulong translation, string access) =>
        _stage.Require(!_taken[translation], access + " through translation " + translation
            + " behind the wait that took it away");
}
