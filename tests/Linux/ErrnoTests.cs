using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed class ErrnoTests
{
    [Test]
    public void AnErrnoIsDescribedByTextAndNumber() =>
        Assert.That(Errno.Describe(Errno.ENOMEM), Does.EndWith(" (errno 12)").And.Length.GreaterThan(12));
}
