using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class SoftVcpuTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void ANewVcpuIsInFlatProtectedMode()
    {
        Assert.That(State->Cr0, Is.EqualTo(0x11));
        Assert.That(_fixture.Cpu.Rflags, Is.EqualTo(2));
        Assert.That(_fixture.Cpu.Instructions, Is.Zero);
        Assert.That(_fixture.Cpu.TimeNanoseconds, Is.Zero);
        Assert.That(State->ModeKey, Is.EqualTo(ModeKeys.Size32));
    }

    [Test]
    public void ARequestFromAnywhereStopsIt()
    {
        _fixture.Long();
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.Label(ref top);
            a.jmp(top);
        });
        State->Rip = VcpuFixture.Code;
        _fixture.Cpu.RequestStop();
        Assert.That(_fixture.Cpu.Run(long.MaxValue), Is.EqualTo(VcpuExit.Stopped));
        _fixture.Memory.OnPoll = _fixture.Cpu.RequestStop;
        Assert.That(_fixture.Cpu.Run(long.MaxValue), Is.EqualTo(VcpuExit.Stopped));
        Assert.That(_fixture.Memory.IsInside, Is.False);
    }

    [Test]
    public void AnUnsupportedInstructionIsDescribed()
    {
        _fixture.Long();
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.mov(eax, 0x1234);
            a.addps(xmm0, xmm1);
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Unsupported));
        Assert.That(State->Rip, Is.EqualTo(VcpuFixture.Code + 5));
        Assert.That(_fixture.Cpu.DescribeUnsupported(),
            Does.Contain("RIP 0x10005").And.Contain("0f 58 c1").And.Contain("rax=1234"));
    }

    [Test]
    public void RflagsCanBeSetAndRead()
    {
        _fixture.Cpu.Rflags = 0x246AD7;
        Assert.That(_fixture.Cpu.Rflags, Is.EqualTo(0x246AD7));
    }

    [Test]
    public void MemoryThatCannotBeSuppliedEndsTheRun()
    {
        _fixture.Long();
        _fixture.Memory.FailsAt = 0x10_0000;
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.nop();
            a.mov(eax, __dword_ptr[0x10_0010]);
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.MemoryError));
        Assert.That(State->Rip, Is.EqualTo(VcpuFixture.Code + 1));
        _fixture.Memory.FailsAt = ulong.MaxValue;
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.Halted));
    }

    [Test]
    public void SettingItUpAnewKeepsTimeAndCounters()
    {
        _fixture.Long().Run64(a => a.nop());
        _fixture.Cpu.SetFlat();
        Assert.That(_fixture.Cpu.Instructions, Is.EqualTo(2));
        Assert.That(State->Efer, Is.Zero);
    }
}
