using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

/// <summary>Pages that come along with one that is swapped in, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class FaultRunReadAheadTests(GuestFormat format)
{
    private const ulong PageBytes = 4096;
    private const ulong Pages = 40;

    // The window ends behind page 31.
    private const ulong Start = 512 * PageBytes - 32 * PageBytes;

    private Arena _arena = null!;
    private PageDaemon _daemon = null!;
    private MemorySwapStore _store = null!;
    private FaultyStore _faulty = null!;
    private SwapSpace _space = null!;
    private SwapPager _pager = null!;
    private VmObject _memory = null!;
    private Guest _guest = null!;
    private TestVcpu _vcpu = null!;

    [TearDown]
    public void TearDown()
    {
        _vcpu.Dispose();
        _guest.Dispose();
        _memory.Dispose();
        _pager.Dispose();
        ArenaBalance.AssertWhole(_arena);
        Assert.That(_space.Slots.Free, Is.EqualTo(_space.Slots.Capacity));
        _daemon.Dispose();
        _space.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void NeighboursComeAlongInOneTransferAndAreNotAccessed()
    {
        SwapOutAll(ahead: 4);
        int calls = _store.Calls;

        Assert.That(_vcpu.Read(At(3)), Is.EqualTo(ByteOf(3)));

        Assert.That(_store.Calls, Is.EqualTo(calls + 1));
        Assert.That(_guest.Counters.ReadAheads, Is.EqualTo(4));
        Assert.That(_guest.Counters.SwapIns, Is.EqualTo(1));
        ulong accessed = _guest.Pmap.Format.Accessed;
        for (ulong page = 0; page < 10; page++)
        {
            ulong entry = EntryOf(page);
            Assert.That(entry != 0, Is.EqualTo(page is >= 3 and <= 7), "page " + page);
            Assert.That((entry & accessed) != 0, Is.EqualTo(page == 3), "page " + page);
        }
        for (ulong page = 3; page <= 7; page++) Assert.That(_vcpu.Read(At(page)), Is.EqualTo(ByteOf(page)));
        Assert.That(_store.Calls, Is.EqualTo(calls + 1));
    }

    [Test]
    public void APageThatCameAlongUnusedGoesFirstAndWithoutAWrite()
    {
        SwapOutAll(ahead: 4);
        _vcpu.Read(At(3));

        Assert.That(_daemon.Reclaim(4).Freed, Is.EqualTo(4));

        Assert.That(EntryOf(3), Is.Not.Zero);
        Assert.That(_guest.Counters.CleanEvictions, Is.EqualTo(4));
    }

    [Test]
    public void TheWindowsEndIsTheEnd()
    {
        SwapOutAll(ahead: 15);
        _vcpu.Read(At(29));
        Assert.That(_guest.Counters.ReadAheads, Is.EqualTo(2));
        Assert.That(EntryOf(31), Is.Not.Zero);
        Assert.That(EntryOf(32), Is.Zero);
    }

    [Test]
    public void APageThatCannotBeReadStaysInItsSlotUntilItIsAskedFor()
    {
        SwapOutAll(ahead: 4);
        _faulty.MakeUnreadable(_pager.SlotOf(5));

        Assert.That(_vcpu.Read(At(3)), Is.EqualTo(ByteOf(3)));

        Assert.That(_guest.Counters.PoisonedPages, Is.Zero);
        Assert.That(_vcpu.Read(At(6)), Is.EqualTo(ByteOf(6)));
        Assert.That(_vcpu.TryAccess(At(5), Prot.Read, out _), Is.EqualTo(FaultStatus.PagerError));
        Assert.That(_guest.Counters.PoisonedPages, Is.EqualTo(1));
    }

    [Test]
    public void WithoutFreeFramesNothingComesAlong()
    {
        SwapOutAll(ahead: 4, residentFrames: 100);
        Assert.That(_daemon.HasRoom(64), Is.True, "the guest's pages fit");
        Assert.That(_daemon.HasRoom(64 + 32), Is.False);
        using var memory = new VmObject(_arena, 30 * PageBytes);
        _guest.MapObject(new Gpa(1UL << 30), memory, 0, 30 * PageBytes);
        for (ulong page = 0; page < 30; page++) _vcpu.Write((1UL << 30) + page * PageBytes, 1);

        _vcpu.Read(At(3));

        Assert.That(_guest.Counters.ReadAheads, Is.Zero);
    }

    [Test]
    public void AnotherMappingBehindThePageIsNotEntered()
    {
        SwapOutAll(ahead: 4);
        _guest.Unmap(new Gpa(At(5)), PageBytes);

        _vcpu.Read(At(3));

        Assert.That(EntryOf(4), Is.Not.Zero);
        Assert.That(EntryOf(5), Is.Zero);
        for (ulong page = 6; page < 10; page++) Assert.That(_vcpu.Read(At(page)), Is.EqualTo(ByteOf(page)));
    }

    [Test]
    public void PagesGoAndComeWithoutAnAllocation()
    {
        SwapOutAll(ahead: 4);

        long bytes = Allocations.Of(() =>
        {
            for (ulong page = 0; page < Pages; page++) _vcpu.Touch(At(page), (byte)page, out _);
            _daemon.Age();
            _daemon.Age();
            _daemon.Launder((int)Pages);
            _daemon.Reclaim((int)Pages);
        });

        Assert.That(bytes, Is.Zero);
        Assert.That(_guest.Counters.SwapIns, Is.Positive);
        Assert.That(_guest.Counters.LaunderedPages, Is.Positive);
    }

    private static ulong At(ulong page) => Start + page * PageBytes;

    private static byte ByteOf(ulong page) => (byte)(page * 5 + 1);

    private ulong EntryOf(ulong page)
    {
        using VmspaceConsumer walker = _guest.Space.AddConsumer();
        Assert.That(walker.TryEnter(), Is.True);
        ulong entry = _guest.Pmap.Lookup(At(page), out _);
        walker.Exit();
        return entry;
    }

    private void SwapOutAll(int ahead, ulong residentFrames = 0)
    {
        _arena = new Arena(new ArenaOptions { Bytes = 1024 * PageBytes });
        _daemon = new PageDaemon(_arena, new PageDaemonOptions { ResidentBytes = residentFrames * PageBytes });
        _store = new MemorySwapStore(100);
        _faulty = new FaultyStore(_store);
        _space = new SwapSpace(_faulty);
        _pager = new SwapPager(_space, Pages);
        _memory = new VmObject(_arena, Pages * PageBytes, _pager);
        _guest = new Guest(_arena, format.Options() with { ReadAheadPages = ahead, Superpages = false });
        _guest.MapObject(new Gpa(Start), _memory, 0, Pages * PageBytes);
        _vcpu = new TestVcpu(_guest);
        for (ulong page = 0; page < Pages; page++) _vcpu.Write(At(page), ByteOf(page));
        Assert.That(_daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));
    }
}
