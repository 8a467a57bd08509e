using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class InspectOptionsTests
{
    [Test]
    public void AddressesAreAsWideAsGuestsAreTold() =>
        Assert.That(new InspectOptions { File = "" }.PhysBits, Is.EqualTo(46));
}
