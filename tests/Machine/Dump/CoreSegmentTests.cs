using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Dump;

public sealed unsafe class CoreSegmentTests
{
    [TestCase(1UL, 4096UL)]
    [TestCase(4096UL, 1UL)]
    [TestCase(4096UL, 0UL)]
    public void ARunIsWholePages(ulong hpa, ulong bytes)
    {
        using var region = new GuardedRegion(4096, 4096);
        Assert.That(() => Make(hpa, region, bytes), Throws.TypeOf<InvariantException>());
        Assert.That(Make(4096, region, 4096).Bytes, Is.EqualTo(4096UL));
    }

    private static CoreSegment Make(ulong hpa, GuardedRegion region, ulong bytes) => new(hpa, region.Base, bytes);
}
