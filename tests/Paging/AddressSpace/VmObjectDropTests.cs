using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmObjectDropTests
{
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });

    [TearDown]
    public void TearDown() => _arena.Dispose();

    [Test]
    public void UnmappingPrivateMemoryFreesItsFramesAndNoOthers()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 1 << 20);
        byte[] bytes = new byte[200 << 12];
        Assert.That(guest.Write(new Gpa(0), bytes), Is.EqualTo(FaultStatus.Resolved));
        guest.Write(new Gpa(150 << 12), [9]);
        ulong resident = guest.Counters.ResidentPages;
        guest.Unmap(new Gpa(0), 150 << 12);
        Assert.That(resident - guest.Counters.ResidentPages, Is.EqualTo(150));
        byte[] kept = new byte[1];
        guest.Read(new Gpa(150 << 12), kept);
        Assert.That(kept[0], Is.EqualTo(9));
        guest.MapMemory(new Gpa(0), 0x1000);
        guest.Read(new Gpa(0), kept);
        Assert.That(kept[0], Is.Zero);
    }

    [Test]
    public void AHeldPageOutlivesItsMappingUntilTheRelease()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 1 << 20);
        guest.Write(new Gpa(0x5000), [1, 2, 3, 4]);
        var spans = new GuestSpan[1];
        Assert.That(guest.Hold(new Gpa(0x5000), 4, Prot.Read, spans, out int count), Is.EqualTo(FaultStatus.Resolved));
        guest.Unmap(new Gpa(0), 1 << 20);
        guest.MapMemory(new Gpa(0), 1 << 20);
        guest.Write(new Gpa(0), new byte[1 << 20]);
        Assert.That(spans[0].Bytes.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
        guest.Release(spans.AsSpan(0, count));
        guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
    }

    [Test]
    public void ABusyPageIsWaitedFor()
    {
        var memory = new VmObject(_arena, 1 << 20, Pagoda.Pagers.ZeroFillPager.Instance, false, true);
        using var frames = new FrameCache(_arena);
        ulong* word = memory.MakeWord(3, frames);
        Assert.That(PageWord.TryMove(word, 0, PageWord.Claimed(0)), Is.True);
        var dropper = new Thread(() => memory.Drop(0, 256));
        dropper.Start();
        var wait = default(Wait);
        while ((Shared.Load(word) & PageWord.Wait) == 0) wait.Step();
        Assert.That(frames.TryTake(out uint pfn), Is.True);
        _arena.Frames.ToPage(pfn, memory.Id, 3);
        Assert.That(PageWord.Publish(word, PageWord.Resident((ulong)pfn << 12)), Is.True, "somebody waits");
        dropper.Join();
        Assert.That(*word, Is.Zero);
        frames.Dispose();
        memory.Dispose();
        ArenaBalance.AssertWhole(_arena);
    }
}
