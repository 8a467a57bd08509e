using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class SystemControlPortTests
{
    [Test]
    public void TheTwoLowBitsReadBackAndTheRestIsStatus()
    {
        var port = new SystemControlPort(new Pit8254());
        port.Write(0xFF, 0);
        Assert.That(port.Read(0) & 0xCF, Is.EqualTo(0x03));
    }

    [Test]
    public void TheRefreshBitToggles()
    {
        var port = new SystemControlPort(new Pit8254());
        int toggles = 0;
        int last = port.Read(0) & 0x10;
        for (ulong now = 0; now < 1_508_500; now += 1000)
        {
            int bit = port.Read(now) & 0x10;
            if (bit != last) toggles++;
            last = bit;
        }
        Assert.That(toggles, Is.EqualTo(99).Within(1));
    }

    [Test]
    public void TheGateStartsAndStopsTimerTwo()
    {
        var pit = new Pit8254();
        var port = new SystemControlPort(pit);
        pit.Write(0x43, 0xB0, 0);
        pit.Write(0x42, 100, 0);
        pit.Write(0x42, 0, 0);
        Assert.That(port.Read(1_000_000) & 0x20, Is.Zero);
        port.Write(1, 1_000_000);
        Assert.That(port.Read(2_000_000) & 0x20, Is.EqualTo(0x20));
    }
}
