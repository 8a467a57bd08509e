using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class PciConfigurationTests
{
    [TestCase(0x80000000u, 0x80000000u)]
    [TestCase(0xFFFFFFFFu, 0x80FFFFFCu)]
    public void TheAddressRegisterKeepsItsWritableBits(uint written, uint read)
    {
        var pci = new PciConfiguration();
        pci.WriteAddress(written);
        Assert.That(pci.ReadAddress(), Is.EqualTo(read));
    }
}
