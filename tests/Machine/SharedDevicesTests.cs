using System;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Devices;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class SharedDevicesTests
{
    [Test]
    public void TheDevicesTimeNeverGoesBack()
    {
        var console = new SerialConsole(new CollectingSink(), new TextMatcher(ReadOnlySpan<byte>.Empty));
        var devices = new SharedDevices(new PortSpace(console), processors: 2);
        Assert.That(devices.TimeAt(100), Is.EqualTo(100UL));
        Assert.That(devices.TimeAt(70), Is.EqualTo(100UL));
        Assert.That(devices.TimeAt(130), Is.EqualTo(130UL));
        Assert.That(devices.Now, Is.EqualTo(130UL));
    }
}
