using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

[Category(Categories.Vectors)]
public sealed class HostCapsTests
{
    [Test]
    public void ThisHostIsSupported()
    {
        Assert.That(HostCaps.IsSupported, Is.True);
        Assert.That(HostCaps.RequireSupported, Throws.Nothing);
    }

    [Test]
    public void WiderVectorsImplyNarrowerOnes() =>
        Assert.That(HostCaps.HasVector512 && !HostCaps.HasVector256, Is.False);
}
