using NUnit.Framework;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class MicroOpTests
{
    [Test]
    public void AMicroOpIsSixteenBytes() => Assert.That(sizeof(MicroOp), Is.EqualTo(16));

    [Test]
    public void EveryCodeFits()
    {
        Assert.That((int)OpCode.Count, Is.LessThan(400));
        var op = new MicroOp { Code = OpCode.Count - 1 };
        Assert.That(op.Code, Is.EqualTo(OpCode.Count - 1));
        Assert.That(op.Insn, Is.Zero);
    }

    [Test]
    public void ABranchKeepsTargetImmediateAndLinkApart()
    {
        var op = new MicroOp { A = 1, Insn = 2, Target = -3, Disp = 4, Link = 5 };
        Assert.That((op.A, op.Insn, op.Target, op.Disp, op.Link), Is.EqualTo((1, 2, -3, 4, 5U)));
    }

    [TestCase(OpCode.AddRR8, OpCode.AddRR64, 3)]
    [TestCase(OpCode.RmwLoad8, OpCode.RmwLoad64, 3)]
    [TestCase(OpCode.Store8Index, OpCode.Store64Index, 3)]
    [TestCase(OpCode.CmpRR32JumpE, OpCode.CmpRR32JumpG, 9)]
    [TestCase(OpCode.JumpSubE, OpCode.JumpSubG, 9)]
    [TestCase(OpCode.RolQuiet32, OpCode.RolQuiet64, 1)]
    [TestCase(OpCode.Shr32, OpCode.Shr64, 1)]
    [TestCase(OpCode.LoadSx8To32, OpCode.LoadSx16To64, 3)]
    public void RunsThatTheTranslatorCountsOnAreRuns(object first, object last, int distance) =>
        Assert.That((int)last - (int)first, Is.EqualTo(distance));
}
