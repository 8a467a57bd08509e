using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class SoftVcpuControlTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void AFarCallThroughMemoryComesBack()
    {
        _fixture.Protected();
        const ulong Function = 0x6_0000;
        _fixture.Load(Function, 32, a =>
        {
            a.mov(eax, __dword_ptr[esp + 4]);
            a.retf(8);
        });
        _fixture.Write(VcpuFixture.Data, Function, 4);
        _fixture.Write(VcpuFixture.Data + 4, VcpuFixture.Code32, 2);
        _fixture.Run32(a =>
        {
            a.push(1);
            a.push(2);
            a.mov(edx, esp);
            a.call(__fword_ptr[(uint)VcpuFixture.Data]);
            a.mov(ecx, esp);
        });
        Assert.That(State->Gpr[0], Is.EqualTo(VcpuFixture.Code32));
        Assert.That(State->Gpr[1], Is.EqualTo(VcpuFixture.StackTop));
        Assert.That(State->Gpr[2], Is.EqualTo(VcpuFixture.StackTop - 8));
    }

    [Test]
    public void InterruptReturnRestoresFlagsAndStackIn64BitMode()
    {
        _fixture.Long();
        const ulong Destination = 0x6_0000;
        _fixture.Load(Destination, 64, a => a.hlt());
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.push(VcpuFixture.Data32);
            a.push(0x2_8000);
            a.push(0x8D7);
            a.push(VcpuFixture.Code64);
            a.push((int)Destination);
            a.iretq();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Rip, Is.EqualTo(Destination + 1));
        Assert.That(State->Gpr[4], Is.EqualTo(0x2_8000));
        Assert.That(_fixture.Cpu.Rflags, Is.EqualTo(0x8D7));
    }

    [Test]
    public void HaltReturnsBehindItself()
    {
        _fixture.Long();
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.hlt();
            a.mov(eax, 1);
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Rip, Is.EqualTo(VcpuFixture.Code + 1));
        ulong before = _fixture.Cpu.TimeNanoseconds;
        _fixture.Cpu.AdvanceTime(5000);
        Assert.That(_fixture.Cpu.TimeNanoseconds, Is.EqualTo(before + 5000));
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[0], Is.Zero, "it stays halted");
        State->Activity = VcpuActivity.Running;
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[0], Is.EqualTo(1));
    }

    [Test]
    public void AnOverflowTrapIsTakenOnlyWithTheFlag()
    {
        _fixture.Protected().HandleByStoring(4, 32);
        _fixture.Run32(a =>
        {
            a.xor(eax, eax);
            a.into();
            a.mov(ebx, 1);
            a.mov(eax, 0x7FFF_FFFF);
            a.inc(eax);
            a.into();
        });
        Assert.That(State->Gpr[3], Is.EqualTo(1));
        Assert.That(State->Gpr[5], Is.EqualTo(0x1004));
    }

    [Test]
    public void LoadingAFarPointerSetsSegmentAndRegister()
    {
        _fixture.Protected();
        _fixture.Write(VcpuFixture.Data, 0x1122_3344, 4);
        _fixture.Write(VcpuFixture.Data + 4, VcpuFixture.Data32, 2);
        _fixture.Run32(a => a.lgs(ebx, __fword_ptr[(uint)VcpuFixture.Data]));
        Assert.That(State->Gpr[3], Is.EqualTo(0x1122_3344));
        Assert.That(State->Gs.Selector, Is.EqualTo(VcpuFixture.Data32));
    }

    [TestCase(-5, false)]
    [TestCase(7, false)]
    [TestCase(-6, true)]
    [TestCase(8, true)]
    public void AnIndexIsHeldAgainstItsBounds(int index, bool faults)
    {
        _fixture.Protected().HandleByStoring(5, 32);
        _fixture.Write(VcpuFixture.Data, unchecked((uint)-5), 4);
        _fixture.Write(VcpuFixture.Data + 4, 7, 4);
        _fixture.Run32(a =>
        {
            a.mov(ecx, index);
            a.bound(ecx, __qword_ptr[(int)VcpuFixture.Data]);
        });
        Assert.That(State->Gpr[5], Is.EqualTo(faults ? 0x1005UL : 0UL));
    }

    [Test]
    public void TheDebugTrapInstructionNeedsNoRightToItsGate()
    {
        _fixture.Long().HandleByStoring(1, 64);
        _fixture.Write(VcpuFixture.Task + 4, 0x7_0000);
        const ulong User = 0x6_0000;
        _fixture.Load(User, 64, a => a.int1());
        _fixture.Run64(a =>
        {
            a.push(VcpuFixture.UserData);
            a.push(0x2_8000);
            a.push(0x202);
            a.push(VcpuFixture.UserCode64);
            a.push((int)User);
            a.iretq();
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x1001));
        Assert.That(_fixture.Read(State->Gpr[4]), Is.EqualTo(User + 1), "a trap: behind the instruction");
    }
}
