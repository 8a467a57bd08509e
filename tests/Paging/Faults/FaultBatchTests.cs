using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.Tests.Faults;

public sealed class FaultBatchTests
{
    [TestCase(2, 1, 1, 1)]
    [TestCase(1, 2, 1, 1)]
    [TestCase(1, 1, 2, 1)]
    [TestCase(1, 1, 1, 2)]
    public void ColumnsOfDifferentLengthsAreADefect(int gpa, int access, int hpa, int status) => Assert.That(
        () => { _ = new FaultBatch(new ulong[gpa], new Prot[access], new ulong[hpa], new FaultStatus[status]); },
        Throws.TypeOf<InvariantException>());

    [Test]
    public void AllowedAccessesAreTheFirstStatuses()
    {
        Assert.That((int)FaultStatus.Resolved, Is.Zero);
        foreach (FaultStatus status in System.Enum.GetValues<FaultStatus>())
        {
            bool isAllowed = status is FaultStatus.Resolved or FaultStatus.Spurious or FaultStatus.Emulated;
            Assert.That(status <= FaultStatus.Emulated, Is.EqualTo(isAllowed), status.ToString());
        }
        Assert.That(new FaultBatch(new ulong[3], new Prot[3], new ulong[3], new FaultStatus[3]).Count, Is.EqualTo(3));
    }
}
