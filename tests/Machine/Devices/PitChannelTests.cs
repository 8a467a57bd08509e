using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class PitChannelTests
{
    [Test]
    public void ModesSixAndSevenAreTwoAndThree()
    {
        for (int mode = 2; mode <= 3; mode++)
        {
            PitChannel plain = Programmed(0x30 | mode << 1);
            PitChannel alias = Programmed(0x30 | (mode + 4) << 1);
            for (ulong now = 0; now < 300; now++)
            {
                Assert.That(alias.Output(now), Is.EqualTo(plain.Output(now)), $"mode {mode}, count {now}");
            }
        }
    }

    [Test]
    public void TheFirstByteOfANewCountStopsModeZero()
    {
        PitChannel channel = Programmed(0x30);
        Assert.That(channel.Output(200), Is.True);
        channel.Write(10, 200);
        Assert.That(channel.Output(1000), Is.False);
        channel.Write(0, 1000);
        Assert.That(channel.Output(1010), Is.False);
        Assert.That(channel.Output(1011), Is.True);
    }

    [Test]
    public void ARisingGateRestartsAPeriod()
    {
        PitChannel channel = Programmed(0x34);
        channel.SetGate(false, 50);
        Assert.That(channel.Output(99), Is.True);
        channel.SetGate(true, 1000);
        Assert.That(channel.Output(1000 + 100), Is.False, "the last count of the new period");
        Assert.That(channel.Output(1000 + 101), Is.True);
    }

    [Test]
    public void ASecondLatchBeforeTheReadIsIgnored()
    {
        PitChannel channel = Programmed(0x34);
        channel.LatchCount(11);
        channel.LatchCount(31);
        Assert.That(channel.Read(60) | channel.Read(60) << 8, Is.EqualTo(90));
    }

    // Counter with the gate high and the count 100 written at time 0.
    private static PitChannel Programmed(int control)
    {
        var channel = new PitChannel { Gate = true };
        channel.Control((byte)control, 0);
        channel.Write(100, 0);
        channel.Write(0, 0);
        return channel;
    }
}
