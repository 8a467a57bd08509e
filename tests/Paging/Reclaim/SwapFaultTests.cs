using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>A guest over a swap store that fails: each kind of failure costs what it must and nothing more.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class SwapFaultTests(GuestFormat format) : IPressureListener
{
    private const ulong Pages = 8;
    private const ulong PageBytes = 4096;
    private Arena _arena = null!;
    private PageDaemon _daemon = null!;
    private FaultyStore _store = null!;
    private SwapSpace _space = null!;
    private SwapPager _pager = null!;
    private VmObject _memory = null!;
    private Guest _guest = null!;
    private TestVcpu _vcpu = null!;
    private ReclaimResult _told;
    private ulong _lost;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 512 * PageBytes });
        _daemon = new PageDaemon(_arena, new PageDaemonOptions { Listener = this });
        _store = new FaultyStore(new MemorySwapStore(64));
        _space = new SwapSpace(_store);
        _pager = new SwapPager(_space, Pages);
        _memory = new VmObject(_arena, Pages * PageBytes, _pager);
        _guest = new Guest(_arena, format.Options() with { ReadAheadPages = 0 });
        _guest.MapObject(new Gpa(0), _memory, 0, Pages * PageBytes);
        _vcpu = new TestVcpu(_guest);
        _told = default;
        _lost = ulong.MaxValue;
        for (ulong page = 0; page < Pages; page++) _vcpu.Write(At(page), ByteOf(page));
    }

    [TearDown]
    public void TearDown()
    {
        _vcpu.Dispose();
        _guest.Dispose();
        _memory.Dispose();
        _pager.Dispose();
        ArenaBalance.AssertWhole(_arena);
        Assert.That(_space.Slots.Free, Is.EqualTo(64));
        _space.Dispose();
        _daemon.Dispose();
        _arena.Dispose();
    }

    public void Pressure(ReclaimResult result) => _told = result;

    public void PageLost(VmObject memory, ulong page) => _lost = page;

    [Test]
    public void APageThatCannotBeReadOrIsDamagedIsLostAlone([Values] bool isFlipped)
    {
        Assert.That(_daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));
        if (isFlipped) _store.Flip(_pager.SlotOf(5));
        else _store.MakeUnreadable(_pager.SlotOf(5));
        ulong[] gpa = new ulong[Pages];
        Prot[] access = new Prot[Pages];
        var status = new FaultStatus[Pages];
        for (ulong page = 0; page < Pages; page++) gpa[page] = At(page);
        Array.Fill(access, Prot.Read);

        int allowed = _vcpu.Consumer.Fault(new FaultBatch(gpa, access, new ulong[Pages], status));

        Assert.That(allowed, Is.EqualTo((int)Pages - 1));
        Assert.That(status[5], Is.EqualTo(FaultStatus.PagerError));
        Assert.That(_vcpu.TryAccess(At(5), Prot.Read, out _), Is.EqualTo(FaultStatus.Poisoned));
        Assert.That(_lost, Is.EqualTo(5));
        Assert.That(_guest.Counters.PoisonedPages, Is.EqualTo(1));
        Assert.That(_space.ChecksumErrors, Is.EqualTo(isFlipped ? 1 : 0));
        AssertBytesExceptOf(5);
    }

    [TestCase(FaultyStore.Eio, ReclaimEnd.WriteError)]
    [TestCase(FaultyStore.Enospc, ReclaimEnd.SwapFull)]
    public void AStoreThatTakesNothingStopsEvictionAndLosesNothing(int errno, ReclaimEnd end)
    {
        _store.WriteError = errno;

        ReclaimResult result = _daemon.Reclaim((int)Pages);

        Assert.That(result, Is.EqualTo(new ReclaimResult(0, end)));
        Assert.That(_told, Is.EqualTo(result));
        Assert.That(_guest.Counters.SwapOuts, Is.Zero);
        AssertBytesExceptOf(Pages);
        _store.WriteError = 0;
        Assert.That(_daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));
        AssertBytesExceptOf(Pages);
    }

    [Test]
    public void ASlowReadHoldsUpItsOwnPageAlone()
    {
        Assert.That(_daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));
        Assert.That(_vcpu.Read(At(2)), Is.EqualTo(ByteOf(2)));
        while (_vcpu.Consumer.Consumer.Frames.Count != 0) _vcpu.Consumer.Consumer.Frames.Drain();
        using var gate = new ManualResetEventSlim();
        using var first = new TestVcpu(_guest);
        using var second = new TestVcpu(_guest);
        _store.Gate = gate;
        byte firstByte = 0;
        byte secondByte = 0;
        var reader = new Thread(() => firstByte = first.Read(At(5)));
        reader.Start();
        _store.Entered.Wait();
        var waiter = new Thread(() => secondByte = second.Read(At(5)));
        waiter.Start();

        _vcpu.Write(At(2), 77);

        Assert.That(_vcpu.Read(At(2)), Is.EqualTo(77));
        gate.Set();
        reader.Join();
        waiter.Join();
        Assert.That(firstByte, Is.EqualTo(ByteOf(5)));
        Assert.That(secondByte, Is.EqualTo(ByteOf(5)));
        Assert.That(_store.Entered.CurrentCount, Is.Zero, "the page was read twice");
    }

    [Test]
    public void ASlowWriteHoldsUpNobody()
    {
        using var gate = new ManualResetEventSlim();
        _store.Gate = gate;
        int freed = -1;
        var evictor = new Thread(() => freed = _daemon.Reclaim((int)Pages).Freed);
        evictor.Start();
        _store.Entered.Wait();

        for (ulong page = 0; page < Pages; page++) Assert.That(_vcpu.Read(At(page)), Is.EqualTo(ByteOf(page)));
        _vcpu.Write(At(6), 66);

        _store.Gate = null;
        gate.Set();
        evictor.Join();
        Assert.That(_vcpu.Read(At(6)), Is.EqualTo(66));
        Assert.That(freed, Is.GreaterThanOrEqualTo(0));
        _daemon.Reclaim((int)Pages);
        Assert.That(_vcpu.Read(At(6)), Is.EqualTo(66));
        AssertBytesExceptOf(6);
    }

    [Test]
    public void APageThatGaveItsSlotUpStaysInItsFrameWhenItsFaultFails()
    {
        using var other = new Guest(_arena, format.Options() with { Swap = _space });
        var rom = new ProbePager();
        _guest.MapRom(new Gpa(1 << 20), PageBytes, rom);
        other.MapMemory(new Gpa(0), 54 * PageBytes);
        for (ulong page = 0; page < 54; page++) other.Write(new Gpa(At(page)), [1]);
        Assert.That(_daemon.Reclaim(62).Freed, Is.EqualTo(62));
        Assert.That(_pager.IsNearlyFull, Is.True);
        rom.Throws = true;

        Assert.That(() => _vcpu.Consumer.Fault(new FaultBatch([At(5), 1 << 20], [Prot.Read, Prot.Read], new ulong[2],
            new FaultStatus[2])), Throws.InvalidOperationException);

        Assert.That(_pager.SlotOf(5), Is.Zero);
        rom.Throws = false;
        AssertBytesExceptOf(Pages);
    }

    private static ulong At(ulong page) => page * PageBytes;

    private static byte ByteOf(ulong page) => (byte)(page * 3 + 1);

    private void AssertBytesExceptOf(ulong exception)
    {
        for (ulong page = 0; page < Pages; page++)
        {
            if (page != exception) Assert.That(_vcpu.Read(At(page)), Is.EqualTo(ByteOf(page)), "page " + page);
        }
    }
}
