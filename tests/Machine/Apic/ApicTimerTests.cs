using NUnit.Framework;
using Pagoda.Machine.Apic;

namespace Pagoda.Tests.Machine.Apic;

public sealed class ApicTimerTests
{
    [TestCase(0xBu, 1UL)]
    [TestCase(0x0u, 2UL)]
    [TestCase(0x1u, 4UL)]
    [TestCase(0x2u, 8UL)]
    [TestCase(0x3u, 16UL)]
    [TestCase(0x8u, 32UL)]
    [TestCase(0x9u, 64UL)]
    [TestCase(0xAu, 128UL)]
    public void TheDivisorStretchesTheCount(uint divide, ulong divisor)
    {
        ApicTimer timer = Stopped();
        timer.WriteDivide(divide);
        timer.Start(100, now: 1000);
        Assert.That(timer.Deadline, Is.EqualTo(1000 + 100 * divisor));
        Assert.That(timer.CurrentCount(1000), Is.EqualTo(100));
        Assert.That(timer.CurrentCount(1000 + 40 * divisor), Is.EqualTo(60));
        Assert.That(timer.CurrentCount(1000 + 100 * divisor), Is.Zero);
    }

    [Test]
    public void OneShotExpiresOnce()
    {
        ApicTimer timer = Stopped();
        timer.WriteDivide(0xB);
        timer.Start(50, now: 0);
        Assert.That(timer.TryExpire(isPeriodic: false, 49), Is.False);
        Assert.That(timer.TryExpire(isPeriodic: false, 50), Is.True);
        Assert.That(timer.Deadline, Is.EqualTo(ApicTimer.Never));
        Assert.That(timer.TryExpire(isPeriodic: false, 1000), Is.False);
    }

    [Test]
    public void PeriodicExpiriesKeepTheirRhythmWhenSomeWereMissed()
    {
        ApicTimer timer = Stopped();
        timer.WriteDivide(0xB);
        timer.Start(50, now: 7);
        Assert.That(timer.TryExpire(isPeriodic: true, 57), Is.True);
        Assert.That(timer.Deadline, Is.EqualTo(107));
        Assert.That(timer.TryExpire(isPeriodic: true, 260), Is.True);
        Assert.That(timer.Deadline, Is.EqualTo(307));
    }

    [Test]
    public void ACountOfZeroStops()
    {
        ApicTimer timer = Stopped();
        timer.Start(50, now: 0);
        timer.Start(0, now: 10);
        Assert.That(timer.Deadline, Is.EqualTo(ApicTimer.Never));
        Assert.That(timer.CurrentCount(20), Is.Zero);
    }

    private static ApicTimer Stopped()
    {
        var timer = default(ApicTimer);
        timer.Reset();
        return timer;
    }
}
