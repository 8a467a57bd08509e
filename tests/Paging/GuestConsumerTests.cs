using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;

namespace Pagoda.Tests;

public sealed class GuestConsumerTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
        _guest.MapMemory(new Gpa(0), 1 << 20);
    }

    [TearDown]
    public void TearDown()
    {
        _guest.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void AFaultIsAnExit()
    {
        using GuestConsumer consumer = _guest.AddConsumer();
        Assert.That(consumer.Enter(out bool flush), Is.True);
        Assert.That(flush, Is.True, "what it may have cached before it came is unknown");
        consumer.Acknowledge();
        Assert.That(consumer.IsInside, Is.True);
        Assert.That(consumer.Fault(0, Prot.Read, out _), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(consumer.IsInside, Is.False);
        Assert.That(consumer.Enter(out flush), Is.True);
        Assert.That(flush, Is.False, "entering a page takes nothing back");
        consumer.Exit();
        consumer.Exit();
    }

    [Test]
    public void APollSeesWhatWasTakenBack()
    {
        using GuestConsumer consumer = _guest.AddConsumer();
        consumer.Enter(out _);
        consumer.Acknowledge();
        Assert.That(consumer.Poll(), Is.False);
        var unmapper = new System.Threading.Thread(() => _guest.Unmap(new Gpa(0), 0x1000));
        unmapper.Start();
        var wait = default(Wait);
        while (!consumer.Poll()) wait.Step();
        Assert.That(unmapper.IsAlive, Is.True, "it waits for the acknowledgement");
        consumer.Acknowledge();
        unmapper.Join();
        Assert.That(consumer.Poll(), Is.False);
        Assert.That(consumer.IsDestroyed, Is.False);
        consumer.Exit();
    }

    [Test]
    public void AConsumerLeavesItsSlotWhenItIsDisposed()
    {
        GuestConsumer consumer = _guest.AddConsumer();
        consumer.Enter(out _);
        consumer.Dispose();
        consumer.Dispose();
        Assert.That(() => _guest.Unmap(new Gpa(0), 0x1000), Throws.Nothing);
    }
}
