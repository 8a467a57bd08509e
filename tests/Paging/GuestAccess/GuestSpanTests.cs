using NUnit.Framework;
using Pagoda.Core;
using Pagoda.GuestAccess;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class GuestSpanTests
{
    [Test]
    public void ASpanIsItsBytes()
    {
        using var memory = new GuardedRegion(100);
        var span = new GuestSpan(memory.Base + 90, 10, Prot.Write);
        span.Bytes[9] = 7;
        Assert.That(memory.Bytes[99], Is.EqualTo(7));
        Assert.That(span.Bytes.Length, Is.EqualTo(10));
        Assert.That(default(GuestSpan).Bytes.IsEmpty, Is.True);
    }
}
