using NUnit.Framework;
using Pagoda.Machine.Devices;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Devices;

public sealed class Pit8254Tests
{
    private const int Counter0 = 0x40;
    private const int Counter2 = 0x42;
    private const int Control = 0x43;
    private const ulong Second = 1_000_000_000;

    private Pit8254 _pit = null!;

    [SetUp]
    public void MakeTimer() => _pit = new Pit8254();

    [Test]
    public void CountsAreExactForDays()
    {
        Assert.That(Pit8254.CountsAt(0), Is.Zero);
        Assert.That(Pit8254.CountsAt(Second), Is.EqualTo(1_193_182UL));
        Assert.That(Pit8254.CountsAt(86_400 * Second * 30), Is.EqualTo(1_193_182UL * 86_400 * 30));
        Assert.That(Pit8254.CountsAt(838), Is.Zero);
        Assert.That(Pit8254.CountsAt(839), Is.EqualTo(1UL));
    }

    [Test]
    public void TheCalibrationCountOfFiftyMillisecondsTakesFiftyMilliseconds()
    {
        _pit.SetGate(2, true, 0);
        Program(Counter2, 0xB0, 59_659, 0);
        Assert.That(_pit.Output(2, 49_999_000), Is.False);
        Assert.That(_pit.Output(2, 50_002_000), Is.True);
    }

    [Test]
    public void ModeZeroStopsWhileItsGateIsLow()
    {
        Program(Counter2, 0xB0, 1000, 0);
        Assert.That(ReadCount(Counter2, Second), Is.EqualTo(1000));
        _pit.SetGate(2, true, Second);
        Assert.That(ReadCount(Counter2, Second + Nanoseconds(400)), Is.EqualTo(600).Within(1));
        _pit.SetGate(2, false, Second + Nanoseconds(400));
        Assert.That(ReadCount(Counter2, 2 * Second), Is.EqualTo(600).Within(1));
        _pit.SetGate(2, true, 2 * Second);
        Assert.That(_pit.Output(2, 2 * Second + Nanoseconds(590)), Is.False);
        Assert.That(_pit.Output(2, 2 * Second + Nanoseconds(602)), Is.True);
    }

    [Test]
    public void TheRateGeneratorCountsDownAgainAndAgain()
    {
        Program(Counter0, 0x34, 100, 0);
        ulong start = Pit8254.CountsAt(0) + 1;
        for (ulong count = start; count < start + 500; count++)
        {
            ulong now = AtCount(count);
            ulong phase = (count - start) % 100;
            Assert.That(ReadCount(Counter0, now), Is.EqualTo(100 - (int)phase), $"at count {count}");
            Assert.That(_pit.Output(0, now), Is.EqualTo(phase != 99), $"at count {count}");
        }
    }

    [TestCase(100)]
    [TestCase(101)]
    public void TheSquareWaveIsHighForTheLongerHalf(int period)
    {
        Program(Counter0, 0x36, period, 0);
        int high = 0;
        for (ulong count = 1; count <= (ulong)period; count++)
        {
            if (_pit.Output(0, AtCount(count))) high++;
            Assert.That(ReadCount(Counter0, AtCount(count)) & 1, Is.Zero);
        }
        Assert.That(high, Is.EqualTo((period + 1) / 2));
    }

    [Test]
    public void TheOneShotWaitsForItsGate()
    {
        Program(Counter2, 0xB2, 50, 0);
        Assert.That(_pit.Output(2, Second), Is.True);
        _pit.SetGate(2, true, Second);
        Assert.That(_pit.Output(2, Second + Nanoseconds(20)), Is.False);
        Assert.That(_pit.Output(2, Second + Nanoseconds(52)), Is.True);
    }

    [TestCase(0xB8)]    // software strobe, triggered by the count
    [TestCase(0xBA)]    // hardware strobe, triggered by the gate
    public void TheStrobeIsLowForOneCount(int control)
    {
        bool byGate = control == 0xBA;
        if (!byGate) _pit.SetGate(2, true, 0);
        Program(Counter2, control, 30, 0);
        if (byGate) _pit.SetGate(2, true, 0);
        int low = 0;
        for (ulong count = 0; count < 200; count++)
        {
            if (!_pit.Output(2, AtCount(count))) low++;
        }
        Assert.That(low, Is.EqualTo(1));
    }

    [Test]
    public void ALatchedCountStaysUntilItIsRead()
    {
        Program(Counter0, 0x34, 0, 0);
        _pit.Write(Control, 0x00, AtCount(1001));
        Assert.That(ReadCount(Counter0, AtCount(5000)), Is.EqualTo(65_536 - 1000));
        Assert.That(ReadCount(Counter0, AtCount(5001)), Is.EqualTo(65_536 - 5000));
    }

    [Test]
    public void ReadBackGivesStatusThenCount()
    {
        Program(Counter0, 0x34, 1000, 0);
        _pit.Write(Control, 0xC2, AtCount(101));
        Assert.That(_pit.Read(Counter0, AtCount(600)), Is.EqualTo(0xB4), "output high, not null, mode 2, two bytes");
        Assert.That(ReadCount(Counter0, AtCount(600)), Is.EqualTo(900));
    }

    [Test]
    public void ANewControlWordMakesTheCountNull()
    {
        _pit.Write(Control, 0x30, 0);
        _pit.Write(Control, 0xE2, 0);
        Assert.That(_pit.Read(Counter0, 0), Is.EqualTo(0x70), "output low, null count, two bytes, mode 0");
    }

    [Test]
    public void DecimalCountsAreDecimal()
    {
        Program(Counter0, 0x35, 0x1000, 0);
        Assert.That(ReadCount(Counter0, AtCount(1)), Is.EqualTo(0x1000));
        Assert.That(ReadCount(Counter0, AtCount(2)), Is.EqualTo(0x0999));
        Assert.That(ReadCount(Counter0, AtCount(1001)), Is.EqualTo(0x1000));
    }

    [Test]
    public void SingleByteAccessSetsTheOtherByteToZero()
    {
        _pit.Write(Control, 0x14, 0);
        _pit.Write(Counter0, 0x80, 0);
        Assert.That(_pit.Read(Counter0, AtCount(1)), Is.EqualTo(0x80));
        _pit.Write(Control, 0x24, 0);
        _pit.Write(Counter0, 0x02, 0);
        Assert.That(_pit.Read(Counter0, AtCount(1)), Is.EqualTo(0x02));
        Assert.That(_pit.Read(Counter0, AtCount(2)), Is.EqualTo(0x01));
    }

    [Test]
    public void AnUnprogrammedTimerReadsZeroAndTheControlPortOnes()
    {
        Assert.That(_pit.Read(Counter0, Second), Is.Zero);
        Assert.That(_pit.Read(Control, Second), Is.EqualTo(0xFF));
        _pit.Write(Counter0, 1, Second);
        Assert.That(_pit.Output(0, Second), Is.False);
    }

    [Test]
    public void AnySequenceOfAccessesIsHarmlessAndCountsStayBelowTheReload()
    {
        var random = new SeededGenerator(0x8254);
        ulong now = 0;
        for (int step = 0; step < 20_000; step++)
        {
            now += random.Below(random.OneIn(10) ? 5 * Second : 100_000UL);
            int port = Counter0 + random.Below(4);
            if (random.OneIn(3)) _pit.Write(port, (byte)random.Next(), now);
            else if (random.OneIn(3)) _pit.SetGate(2, random.OneIn(2), now);
            else _pit.Read(port, now);
            _pit.Output(random.Below(3), now);
        }
        Program(Counter0, 0x34, 777, now);
        Assert.That(ReadCount(Counter0, now + Second), Is.InRange(1, 777), random.ToString());
    }

    private void Program(int port, int control, int count, ulong now)
    {
        _pit.Write(Control, (byte)control, now);
        _pit.Write(port, (byte)count, now);
        _pit.Write(port, (byte)(count >> 8), now);
    }

    private int ReadCount(int port, ulong now)
    {
        int low = _pit.Read(port, now);
        return _pit.Read(port, now) << 8 | low;
    }

    private static ulong Nanoseconds(ulong counts) => counts * Second / Pit8254.Frequency;

    /// <summary>The first nanosecond at which that many counts have passed.</summary>
    private static ulong AtCount(ulong count)
    {
        ulong now = Nanoseconds(count);
        while (Pit8254.CountsAt(now) < count) now++;
        return now;
    }
}
