using NUnit.Framework;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class BlockTests
{
    [Test]
    public void TheHeaderFitsBeforeTheMicroOps()
    {
        Assert.That(sizeof(Block), Is.LessThanOrEqualTo(Block.HeaderBytes));
        Assert.That(Block.HeaderBytes % MicroOp.SizeBytes, Is.Zero);
        Block block = default;
        Assert.That((byte*)Block.Ops(&block) - (byte*)&block, Is.EqualTo(Block.HeaderBytes));
    }
}
