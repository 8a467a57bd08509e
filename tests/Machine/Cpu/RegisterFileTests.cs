using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class RegisterFileTests
{
    [TestCase(Register.AL, 0, 0)]
    [TestCase(Register.BL, 24, 0)]
    [TestCase(Register.AH, 1, 0)]
    [TestCase(Register.BH, 25, 0)]
    [TestCase(Register.SPL, 32, 0)]
    [TestCase(Register.R15L, 120, 0)]
    [TestCase(Register.DI, 56, 1)]
    [TestCase(Register.R8W, 64, 1)]
    [TestCase(Register.ESP, 32, 2)]
    [TestCase(Register.R15D, 120, 2)]
    [TestCase(Register.RBP, 40, 3)]
    [TestCase(Register.R15, 120, 3)]
    public void EveryNameHasItsPlaceAndSize(Register register, int offset, int sizeLog2)
    {
        Assert.That(RegisterFile.Of(register), Is.EqualTo(offset));
        Assert.That(RegisterFile.SizeLog2(register), Is.EqualTo(sizeLog2));
    }

    [Test]
    public void InternalRegistersAreWhereTheStateHasThem()
    {
        VcpuState state = default;
        var start = (byte*)&state;
        Assert.That((byte*)&state.Zero - start, Is.EqualTo(RegisterFile.Zero));
        Assert.That((byte*)&state.RipBase - start, Is.EqualTo(RegisterFile.RipBase));
        Assert.That((byte*)&state.Temp0 - start, Is.EqualTo(RegisterFile.Temp0));
        Assert.That((byte*)&state.Temp1 - start, Is.EqualTo(RegisterFile.Temp1));
        Assert.That((byte*)&state.Temp2 - start, Is.EqualTo(RegisterFile.Temp2));
        Assert.That((byte*)&state.SegmentBase[4] - start, Is.EqualTo(RegisterFile.SegmentBase(Register.FS)));
        Assert.That(&state.Es + RegisterFile.SegmentNumber(Register.GS) == &state.Gs, Is.True);
        Assert.That(sizeof(VcpuState), Is.EqualTo(VcpuState.SizeBytes));
    }
}
