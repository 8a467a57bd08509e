using System;
using System.Collections.Generic;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda.Perf.Stress;

/// <summary>
/// Whoever changes the guest: rights taken and given, runs moved away and back, memory that comes and goes, runs that
/// are wired or advised about, content that is dropped, and a replica that is kept by harvests.
/// </summary>
internal sealed class StressControl(Guest guest, Guest peer, StressLedger ledger, StressDrops drops, ulong pages)
{
    private const ulong RunMax = 16;
    private const int DropsInARow = 16;

    private readonly byte[] _replica = new byte[pages << 12];
    private readonly byte[] _scratch = new byte[StressWorld.ScratchPages << 12];
    private readonly byte[] _page = new byte[4096];
    private readonly HashSet<ulong> _due = [];
    private readonly ulong[] _bitmap = new ulong[(pages + 63) / 64];

    /// <summary>Works until the run is over.</summary>
    public void Run(ulong seed)
    {
        var random = new StressRandom(seed);
        while (!ledger.IsOver)
        {
            ulong first = random.Below(pages - RunMax);
            ulong length = (1 + random.Below(RunMax)) << 12;
            Gpa gpa = new(StressWorld.Start + (first << 12));
            switch (random.Below(7))
            {
                case 0:
                    guest.Protect(gpa, length, random.OneIn(3) ? Prot.None : Prot.Read);
                    guest.Protect(gpa, length, Prot.All);
                    break;
                case 1:
                    guest.Remap(gpa, length, new Gpa(StressWorld.Elsewhere));
                    guest.Remap(new Gpa(StressWorld.Elsewhere), length, gpa);
                    break;
                case 2:
                    Churn();
                    break;
                case 3:
                    Wire(gpa, length);
                    break;
                case 4:
                    for (int i = 0; i < DropsInARow; i++) Drop(random.Below(StressDrops.Pages), ref random);
                    break;
                case 5:
                    Advise(gpa, length, random.OneIn(2) ? Advice.Cold : Advice.Populate);
                    break;
                default:
                    Replicate();
                    break;
            }
        }
    }

    /// <summary>Compares everything, when everybody has stopped.</summary>
    public void Verify()
    {
        Replicate();
        if (_due.Count != 0) ledger.Fail(_due.Count + " pages cannot be read");
        for (ulong page = 0; page < pages && ledger.Failure is null; page++)
        {
            if (guest.Read(new Gpa(StressWorld.Start + (page << 12)), _page) != FaultStatus.Resolved)
                ledger.Fail("page " + page + " cannot be read");
            ledger.Verify(page, _page);
            if (!_page.AsSpan().SequenceEqual(_replica.AsSpan((int)page << 12, 4096)))
                ledger.Fail("page " + page + ": no harvest reported what was written last");
        }
        for (ulong page = 0; page < StressDrops.Pages && ledger.Failure is null; page++)
        {
            if (peer.Read(new Gpa(StressWorld.Dropped + (page << 12)), _page) != FaultStatus.Resolved)
                ledger.Fail("dropped page " + page + " cannot be read");
            drops.Verify(page, _page);
        }
    }

    /// <summary>Drops content that both guests show, through either.</summary>
    private void Drop(ulong first, ref StressRandom random)
    {
        ulong count = ulong.Min(1 + random.Below(RunMax), StressDrops.Pages - first);
        drops.Begin(first, count);
        Guest through = random.OneIn(2) ? guest : peer;
        AdviceResult result = through.Advise(new Gpa(StressWorld.Dropped + (first << 12)), count << 12, Advice.Discard);
        drops.End(first, count);
        if (result.Status != FaultStatus.Resolved) ledger.Fail("a drop: " + result.Status);
    }

    private void Advise(Gpa gpa, ulong length, Advice advice)
    {
        FaultStatus status = guest.Advise(gpa, length, advice).Status;
        bool isRight = status is FaultStatus.Resolved or FaultStatus.OutOfMemory;
        if (!isRight) ledger.Fail(advice + ": " + status);
    }

    private void Wire(Gpa gpa, ulong length)
    {
        try
        {
            guest.Wire(gpa, length);
        }
        catch (MapException refusal) when (refusal.Error == MapError.NoMemory)
        {
            return;
        }
        guest.Unwire(gpa, length);
    }

    /// <summary>Frames that vCPUs write go, and come back as memory that must be zero and stay so.</summary>
    private void Churn()
    {
        guest.MapMemory(new Gpa(StressWorld.Scratch), StressWorld.ScratchPages << 12);
        Replicate();
        guest.Unmap(new Gpa(StressWorld.Scratch), StressWorld.ScratchPages << 12);
        guest.MapMemory(new Gpa(StressWorld.Still), StressWorld.ScratchPages << 12);
        for (int round = 0; round < 2; round++)
        {
            FaultStatus status = guest.Read(new Gpa(StressWorld.Still), _scratch);
            if (status != FaultStatus.Resolved && status != FaultStatus.OutOfMemory) ledger.Fail("zeros: " + status);
            if (status == FaultStatus.Resolved && _scratch.AsSpan().ContainsAnyExcept((byte)0))
                ledger.Fail("a write through a translation that was taken back");
        }
        guest.Unmap(new Gpa(StressWorld.Still), StressWorld.ScratchPages << 12);
    }

    /// <summary>Copies what was written since the last time. A page that is away or hidden stays due.</summary>
    private void Replicate()
    {
        Array.Clear(_bitmap);
        guest.HarvestModified(new Gpa(StressWorld.Start), pages << 12, _bitmap);
        for (ulong page = 0; page < pages; page++)
        {
            if ((_bitmap[page / 64] >> (int)(page % 64) & 1) != 0) _due.Add(page);
        }
        _due.RemoveWhere(page => guest.Read(new Gpa(StressWorld.Start + (page << 12)),
            _replica.AsSpan((int)page << 12, 4096)) == FaultStatus.Resolved);
    }
}
