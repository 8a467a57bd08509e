using System;
using System.Threading;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.Perf.Stress;

/// <summary>
/// The memory side of a vCPU that caches translations, and with them the fact that a page is marked written, until it
/// is told to let them go.
/// </summary>
internal sealed unsafe class StressVcpu(Guest guest, StressLedger ledger, StressDrops drops, int writer, ulong pages)
    : IDisposable
{
    private const int Entries = 64;
    private const int OperationsPerPoll = 64;
    private const ulong WorkingSet = 6;
    private const ulong AccessesPerStep = 128;

    private readonly (ulong Page, Prot Granted, nint Host)[] _tlb = new (ulong, Prot, nint)[Entries];
    private readonly GuestConsumer _consumer = guest.AddConsumer();
    private int _operations;

    /// <summary>Writes, reads and counts until the run is over.</summary>
    public void Run(ulong seed)
    {
        var random = new StressRandom(seed);
        for (long i = 1; !ledger.IsOver; i++)
        {
            // A working set that moves on, so that most pages are idle, go, and have no later write to make up for one
            // that was lost; and sometimes any page.
            ulong page = random.OneIn(16) ? random.Below(pages)
                : ((ulong)i / AccessesPerStep * 3 + random.Below(WorkingSet)) % pages;
            Step(page, i, ref random);
            if (random.OneIn(300)) _consumer.Exit();
        }
        _consumer.Exit();
    }

    public void Dispose() => _consumer.Dispose();

    private void Step(ulong page, long value, ref StressRandom random)
    {
        ulong gpa = StressWorld.Start + (page << 12);
        bool stores = !random.OneIn(3);
        long* own = At(gpa + StressLedger.OffsetOf(writer), stores ? Prot.Write : Prot.Read);
        if (own == null) return;
        ledger.Verify(writer, page, *own);
        if (stores)
        {
            *own = value;
            ledger.Stored(writer, page, value);
        }
        if (random.OneIn(4))
        {
            long* counter = At(gpa + StressLedger.CounterOffset, Prot.Write);
            if (counter != null)
            {
                Interlocked.Increment(ref *counter);
                ledger.Counted(writer, page);
            }
        }
        if (random.OneIn(8)) UseDropped(random.Below(StressDrops.Pages), stores, value);
        if (!random.OneIn(8)) return;
        long* scratch = At(StressWorld.Scratch + (random.Below(StressWorld.ScratchPages) << 12), Prot.Write);
        if (scratch != null) *scratch = value;
    }

    private void UseDropped(ulong page, bool stores, long value)
    {
        long* own = At(StressDrops.GpaOf(writer, page), stores ? Prot.Write : Prot.Read);
        if (own == null) return;
        long ended = drops.Ended(page);
        drops.Verify(writer, page, *own, ended);
        if (!stores) return;
        *own = value;
        drops.Stored(writer, page, value, ended);
    }

    /// <summary>A host pointer, good until the next call; null where the map does not allow the access.</summary>
    private long* At(ulong gpa, Prot access)
    {
        ulong page = gpa >> 12;
        while (true)
        {
            if (!IsReady()) return null;
            ref (ulong Page, Prot Granted, nint Host) entry = ref _tlb[page % Entries];
            bool isHit = entry.Page == page && (entry.Granted & access) != 0;
            if (isHit) return (long*)(entry.Host + (nint)(gpa & 0xFFF));
            if (_consumer.TryWalk(page << 12, access, out ulong hpa, out Prot granted))
            {
                entry = (page, granted, (nint)guest.Arena.DirectMap(hpa));
                continue;
            }
            FaultStatus status = _consumer.Fault(gpa, access, out _);
            if (status <= FaultStatus.Emulated) continue;
            if (status is FaultStatus.PagerError or FaultStatus.Poisoned) ledger.Fail("a page was lost: " + status);
            return null;
        }
    }

    private bool IsReady()
    {
        bool flush = false;
        if (!_consumer.IsInside)
        {
            if (!_consumer.Enter(out flush)) return false;
        }
        else if (++_operations % OperationsPerPoll == 0)
        {
            flush = _consumer.Poll();
        }
        if (!flush) return true;
        Array.Clear(_tlb);
        _consumer.Acknowledge();
        return !_consumer.IsDestroyed;
    }
}
