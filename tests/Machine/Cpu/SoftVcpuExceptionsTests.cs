using Iced.Intel;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class SoftVcpuExceptionsTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void APageFaultPushesItsFrameIn64BitMode()
    {
        _fixture.Long().HandleByStoring(14, 64);
        _fixture.Memory.SetRights(0x10_0000, Prot.Read);
        _fixture.Run64(a =>
        {
            a.mov(eax, 0x1234);
            a.mov(__dword_ptr[0x10_0004], eax);
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100E));
        Assert.That(State->Cr2, Is.EqualTo(0x10_0004));
        ulong frame = State->Gpr[4];
        Assert.That(frame, Is.EqualTo(VcpuFixture.StackTop - 48));
        Assert.That(_fixture.Read(frame), Is.EqualTo(3));                                   // present, write
        Assert.That(_fixture.Read(frame + 8), Is.EqualTo(VcpuFixture.Code + 5));
        Assert.That(_fixture.Read(frame + 16), Is.EqualTo(VcpuFixture.Code64));
        Assert.That(_fixture.Read(frame + 32), Is.EqualTo(VcpuFixture.StackTop));
        Assert.That(_fixture.Read(frame + 40), Is.EqualTo(VcpuFixture.Data32));
        Assert.That(State->ExceptionsDelivered, Is.EqualTo(1));
    }

    [Test]
    public void AnExceptionPushesItsFrameIn32BitMode()
    {
        _fixture.Protected().HandleByStoring(6, 32);
        _fixture.Run32(a =>
        {
            a.sti();
            a.ud2();
        });
        Assert.That(State->Gpr[5], Is.EqualTo(0x1006));
        ulong frame = State->Gpr[4];
        Assert.That(frame, Is.EqualTo(VcpuFixture.StackTop - 12));
        Assert.That(_fixture.Read(frame, 4), Is.EqualTo(VcpuFixture.Code + 1));
        Assert.That(_fixture.Read(frame + 4, 4), Is.EqualTo(VcpuFixture.Code32));
        Assert.That(_fixture.Read(frame + 8, 4) & 0x200, Is.EqualTo(0x200));
        // An interrupt gate clears IF.
        Assert.That(_fixture.Cpu.Rflags & 0x200, Is.Zero);
    }

    [Test]
    public void AFaultingPushLeavesTheStackPointerAlone()
    {
        _fixture.Long();
        _fixture.Write(VcpuFixture.Task + 0x24, 0x7_0000);
        _fixture.SetGate(14, VcpuFixture.Handlers, VcpuFixture.Code64, stackTable: 1);
        _fixture.Load(VcpuFixture.Handlers, 64, a => a.hlt());
        _fixture.Memory.SetRights(0x10_1000, Prot.Read);
        _fixture.Run64(a =>
        {
            a.mov(rsp, 0x10_2000UL);
            a.stc();
            a.push(rcx);
        });
        Assert.That(State->Cr2, Is.EqualTo(0x10_1FF8));
        Assert.That(State->Gpr[4], Is.EqualTo(0x7_0000 - 48));
        Assert.That(_fixture.Read(State->Gpr[4] + 32), Is.EqualTo(0x10_2000));
        Assert.That(_fixture.Read(State->Gpr[4] + 24) & 1, Is.EqualTo(1));
    }

    [Test]
    public void FlagsAndRegistersAreThoseBeforeTheFault()
    {
        _fixture.Long().HandleByStoring(14, 64);
        _fixture.Memory.SetRights(0x10_0000, Prot.Read);
        _fixture.Run64(a =>
        {
            a.mov(eax, 1);
            a.mov(edx, 0x10_0000);
            a.cmp(eax, 2);
            a.add(__dword_ptr[rdx], eax);
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100E));
        ulong flags = _fixture.Read(State->Gpr[4] + 24);
        Assert.That(flags & Flags.Arithmetic, Is.EqualTo(Flags.Carry | Flags.Sign | Flags.Adjust | Flags.Parity));
        Assert.That(_fixture.Read(0x10_0000, 4), Is.Zero);
    }

    [Test]
    public void AFaultInTheMiddleOfABlockCountsWhatWasExecuted()
    {
        _fixture.Long().HandleByStoring(14, 64);
        _fixture.Memory.SetRights(0x10_0000, Prot.None);
        ulong before = _fixture.Cpu.Instructions;
        _fixture.Run64(a =>
        {
            a.nop();
            a.nop();
            a.mov(eax, __dword_ptr[0x10_0000]);
            a.nop();
        });
        // Two before the fault, then the handler's MOV and HLT.
        Assert.That(_fixture.Cpu.Instructions - before, Is.EqualTo(4));
    }

    [Test]
    public void WithoutAHandlerADoubleFaultIsDelivered()
    {
        _fixture.Long().HandleByStoring(8, 64);
        _fixture.Run64(a => a.ud2());
        Assert.That(State->Gpr[15], Is.EqualTo(0x1008));
        Assert.That(_fixture.Read(State->Gpr[4]), Is.Zero);
    }

    [Test]
    public void WithoutAnyHandlerTheProcessorShutsDown()
    {
        _fixture.Long();
        State->Idtr.Limit = 0;
        _fixture.Load(VcpuFixture.Code, 64, a => a.ud2());
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.TripleFault));
        Assert.That(State->Rip, Is.EqualTo(VcpuFixture.Code));
    }

    [Test]
    public void AnInterruptStackIsTakenFromTheTaskState()
    {
        _fixture.Long();
        _fixture.Write(VcpuFixture.Task + 0x24 + 8, 0x7_0000);
        _fixture.SetGate(3, VcpuFixture.Handlers, VcpuFixture.Code64, stackTable: 2);
        _fixture.Load(VcpuFixture.Handlers, 64, a => a.hlt());
        _fixture.Run64(a => a.int3());
        Assert.That(State->Gpr[4], Is.EqualTo(0x7_0000 - 40));
        Assert.That(_fixture.Read(State->Gpr[4]), Is.EqualTo(VcpuFixture.Code + 1));
    }

    [Test]
    public void UserCodeReachesAHandlerOnTheInnerStackAndComesBack()
    {
        _fixture.Long();
        _fixture.Write(VcpuFixture.Task + 4, 0x7_0000);
        _fixture.SetGate(0x80, VcpuFixture.Handlers, VcpuFixture.Code64, dpl: 3);
        _fixture.SetGate(13, VcpuFixture.Handlers + 0x100, VcpuFixture.Code64);
        _fixture.Load(VcpuFixture.Handlers, 64, a =>
        {
            a.mov(r14, rsp);
            a.mov(r13d, 99);
            a.iretq();
        });
        _fixture.Load(VcpuFixture.Handlers + 0x100, 64, a => a.hlt());
        const ulong User = 0x6_0000;
        _fixture.Load(User, 64, a =>
        {
            a.@int(0x80);
            a.mov(r12, rsp);
            a.cli();                // #GP at CPL 3
        });
        _fixture.Run64(a =>
        {
            a.push(VcpuFixture.UserData);
            a.push(0x2_8000);
            a.push(0x202);
            a.push(VcpuFixture.UserCode64);
            a.push((int)User);
            a.iretq();
        });
        Assert.That(State->Gpr[14], Is.EqualTo(0x7_0000 - 40));
        Assert.That(State->Gpr[13], Is.EqualTo(99));
        Assert.That(State->Gpr[12], Is.EqualTo(0x2_8000));
        Assert.That(State->Cpl, Is.Zero);
        Assert.That(_fixture.Read(State->Gpr[4] + 16), Is.EqualTo(VcpuFixture.UserCode64));
        // The handler's stack selector became null with the level in it.
        Assert.That(State->Ss.Selector, Is.Zero);
    }

    [Test]
    public void ASoftwareInterruptThroughAKernelGateIsRefusedToUsers()
    {
        _fixture.Long();
        _fixture.Write(VcpuFixture.Task + 4, 0x7_0000);
        _fixture.SetGate(0x80, VcpuFixture.Handlers, VcpuFixture.Code64, dpl: 0);
        _fixture.HandleByStoring(13, 64);
        const ulong User = 0x6_0000;
        _fixture.Load(User, 64, a => a.@int(0x80));
        _fixture.Run64(a =>
        {
            a.push(VcpuFixture.UserData);
            a.push(0x2_8000);
            a.push(0x202);
            a.push(VcpuFixture.UserCode64);
            a.push((int)User);
            a.iretq();
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100D));
        Assert.That(_fixture.Read(State->Gpr[4]), Is.EqualTo(0x80 * 8 + 2));
        Assert.That(_fixture.Read(State->Gpr[4] + 8), Is.EqualTo(User));
    }

    [Test]
    public void ATrapGateLeavesInterruptsOn()
    {
        _fixture.Long();
        _fixture.SetGate(3, VcpuFixture.Handlers, VcpuFixture.Code64, type: 15);
        _fixture.Load(VcpuFixture.Handlers, 64, a => a.hlt());
        _fixture.Run64(a =>
        {
            a.sti();
            a.int3();
        });
        Assert.That(_fixture.Cpu.Rflags & 0x200, Is.EqualTo(0x200));
    }

    [Test]
    public void AFetchFromAForbiddenPageFaultsAtItsAddress()
    {
        _fixture.Long().HandleByStoring(14, 64);
        _fixture.Memory.SetRights(0x10_0000, Prot.ReadWrite);
        _fixture.Run64(a =>
        {
            a.mov(eax, 0x10_0010);
            a.jmp(rax);
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100E));
        Assert.That(State->Cr2, Is.EqualTo(0x10_0010));
        Assert.That(_fixture.Read(State->Gpr[4] + 8), Is.EqualTo(0x10_0010));
    }

    [Test]
    public void AFrameThatDoesNotFitItsStackIsADoubleFault()
    {
        // #SS while #UD is delivered, whose frame fits no better; only the double fault's handler has another stack.
        _fixture.Protected();
        _fixture.SetGate(6, VcpuFixture.Handlers, VcpuFixture.Code32);
        _fixture.SetGate(12, VcpuFixture.Handlers, VcpuFixture.Code32);
        _fixture.SetGate(8, VcpuFixture.Handlers, VcpuFixture.Code32);
        _fixture.Cpu.SetSegment(2, VcpuFixture.Data32, 0xC093, 0x0FFF, 0);
        _fixture.Cpu.ModeChanged();
        _fixture.Load(VcpuFixture.Code, 32, a => a.ud2());
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.TripleFault));
        Assert.That(State->Gpr[4], Is.EqualTo(VcpuFixture.StackTop));
    }

    [Test]
    public void AnInterruptInstructionIsNotExternalInErrorCodes()
    {
        _fixture.Long().HandleByStoring(13, 64);
        _fixture.SetGate(0x50, VcpuFixture.Handlers, 0x7FF8);
        _fixture.Run64(a => a.@int(0x50));
        Assert.That(_fixture.Read(State->Gpr[4]), Is.EqualTo(0x7FF8));
        Assert.That(_fixture.Read(State->Gpr[4] + 8), Is.EqualTo(VcpuFixture.Code), "a fault: at the instruction");
    }
}
