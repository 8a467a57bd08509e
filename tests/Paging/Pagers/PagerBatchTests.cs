using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Pagers;

public sealed unsafe class PagerBatchTests
{
    [Test]
    public void ALaneThatThePagerForgetsIsAnError()
    {
        var status = new PagerStatus[2];
        var batch = new PagerBatch(null, [1, 2], [3, 4], status);
        Assert.That(batch.Count, Is.EqualTo(2));
        Assert.That(status, Is.All.EqualTo(PagerStatus.Error));
    }

    [Test]
    public void ALaneHasTheBytesOfItsFrame()
    {
        using var memory = new GuardedRegion(3 * 4096, 4096);
        var batch = new PagerBatch(memory.Base, [7], [2], new PagerStatus[1]);
        batch.Bytes(0)[4095] = 9;
        Assert.That(batch.Bytes(0).Length, Is.EqualTo(4096));
        Assert.That(memory.Bytes[3 * 4096 - 1], Is.EqualTo(9));
    }

    [Test]
    public void ColumnsOfDifferentLengthsAreADefect() => Assert.That(
        () => { _ = new PagerBatch(null, [1, 2], [3], new PagerStatus[2]); }, Throws.TypeOf<InvariantException>());
}
