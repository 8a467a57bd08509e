using System;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class SoftVcpuSystemTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void TablesAreLoadedAndStored()
    {
        _fixture.Long();
        _fixture.Write(VcpuFixture.Data, 0x4F, 2);
        _fixture.Write(VcpuFixture.Data + 2, 0xFFFF_8000_1234_5678);
        _fixture.Run64(a =>
        {
            a.lidt(__[VcpuFixture.Data]);
            a.sidt(__[VcpuFixture.Data + 0x20]);
            a.sgdt(__[VcpuFixture.Data + 0x40]);
        });
        Assert.That(State->Idtr.Base, Is.EqualTo(0xFFFF_8000_1234_5678));
        Assert.That(_fixture.Read(VcpuFixture.Data + 0x22), Is.EqualTo(0xFFFF_8000_1234_5678));
        Assert.That(_fixture.Read(VcpuFixture.Data + 0x40, 2), Is.EqualTo(0x4F));
        Assert.That(_fixture.Read(VcpuFixture.Data + 0x42), Is.EqualTo(VcpuFixture.Gdt));
    }

    [Test]
    public void ThirtyTwoBitTablesHaveFourByteBases()
    {
        _fixture.Protected();
        _fixture.Write(VcpuFixture.Data, 0xFFFF, 2);
        _fixture.Write(VcpuFixture.Data + 2, 0xFFFF_FFFF_0004_0000);
        _fixture.Run32(a => a.lgdt(__[(uint)VcpuFixture.Data]));
        Assert.That(State->Gdtr.Base, Is.EqualTo(0x4_0000));
        Assert.That(State->Gdtr.Limit, Is.EqualTo(0xFFFF));
    }

    [Test]
    public void IdentificationIsTheBusses()
    {
        _fixture.Long().Run64(a =>
        {
            a.mov(eax, 0x8000_0001);
            a.mov(ecx, 7);
            a.cpuid();
        });
        Assert.That(State->Gpr[0], Is.EqualTo(0x8000_0002));
        Assert.That(State->Gpr[3], Is.EqualTo(9));
    }

    [Test]
    public void PortsGoToTheBusOutsideTheConsumerSlot()
    {
        _fixture.Bus.PortAnswer = 0xABCD_EF12;
        _fixture.Long().Run64(a =>
        {
            a.mov(eax, 0x1111_1111);
            a.mov(edx, 0x3F8);
            a.@in(al, dx);
            a.mov(ebx, eax);
            a.@in(ax, 0x60);
            a.mov(ecx, eax);
            a.@in(eax, dx);
            a.@out(0x80, al);
        });
        Assert.That(State->Gpr[3], Is.EqualTo(0x1111_1112));
        Assert.That(State->Gpr[1], Is.EqualTo(0x1111_EF12));
        Assert.That(State->Gpr[0], Is.EqualTo(0xABCD_EF12));
        Assert.That((_fixture.Bus.LastPort, _fixture.Bus.LastOut), Is.EqualTo((0x80, 0x12U)));
        Assert.That(_fixture.Bus.WasInsideSlot, Is.False);
        Assert.That(State->PortAccesses, Is.EqualTo(4));
    }

    [Test]
    public void VirtualTimeCountsInstructionsPortsAndPauses()
    {
        _fixture.Long().Run64(a =>
        {
            a.rdtsc();
            a.mov(ebx, eax);
            a.nop();
            a.@in(al, 0x61);
            a.pause();
            a.rdtsc();
            a.sub(eax, ebx);
        });
        // Five instructions from one reading to the next.
        Assert.That(State->Gpr[0], Is.EqualTo(5 + 1000 + 10_000));
        Assert.That(_fixture.Bus.TimeSeen, Is.EqualTo(3));
    }

    [Test]
    public void PrivilegedInstructionsAreRefusedToUsers()
    {
        _fixture.Long();
        _fixture.Write(VcpuFixture.Task + 4, 0x7_0000);
        _fixture.Write(VcpuFixture.Task + 0x66, 0x68, 2);       // no port bitmap
        const ulong User = 0x6_0000;
        _fixture.Load(User, 64, a => a.mov(rax, cr0));
        _fixture.Load(User + 0x100, 64, a => a.@in(al, dx));
        foreach (ulong start in new[] { User, User + 0x100 })
        {
            _fixture.Long().HandleByStoring(13, 64);
            _fixture.Run64(a =>
            {
                a.push(VcpuFixture.UserData);
                a.push(0x2_8000);
                a.push(0x2);
                a.push(VcpuFixture.UserCode64);
                a.push((int)start);
                a.iretq();
            });
            Assert.That(State->Gpr[15], Is.EqualTo(0x100D));
            Assert.That(_fixture.Read(State->Gpr[4] + 8), Is.EqualTo(start));
        }
    }

    [Test]
    public void TheTaskRegisterComesFromItsDescriptorWhichBecomesBusy()
    {
        _fixture.Long();
        State->TaskBase = 0;
        _fixture.Run64(a =>
        {
            a.mov(eax, VcpuFixture.TaskSelector);
            a.ltr(ax);
            a.str(ebx);
            a.xor(eax, eax);
            a.lldt(ax);
            a.sldt(ecx);
        });
        Assert.That(State->TaskBase, Is.EqualTo(VcpuFixture.Task));
        Assert.That(State->Gpr[3], Is.EqualTo(VcpuFixture.TaskSelector));
        Assert.That(_fixture.Read(VcpuFixture.Gdt + VcpuFixture.TaskSelector + 5, 1), Is.EqualTo(0x8B));
    }

    [Test]
    public void SelectorsCanBeExamined()
    {
        _fixture.Long().Run64(a =>
        {
            a.mov(eax, VcpuFixture.Data32);
            a.verw(ax);
            a.sete(bl);
            a.lsl(ecx, eax);
            a.lar(edx, eax);
            a.mov(eax, VcpuFixture.Code64);
            a.verw(ax);
            a.sete(bh);
            a.verr(ax);
            a.sete(al);
        });
        Assert.That(State->Gpr[3] & 0xFFFF, Is.EqualTo(0x0001));
        Assert.That(State->Gpr[1], Is.EqualTo(0xFFFF_FFFF));
        Assert.That(State->Gpr[2], Is.EqualTo(0x00CF_9300));
        Assert.That((byte)State->Gpr[0], Is.EqualTo(1));
    }

    [Test]
    public void FencesAndFlushesDoNothingVisible()
    {
        _fixture.Long().Run64(a =>
        {
            a.mfence();
            a.lfence();
            a.sfence();
            a.clflush(__[VcpuFixture.Data]);
            a.prefetcht0(__[VcpuFixture.Data]);
            a.prefetchw(__[VcpuFixture.Data]);
            a.nop(__word_ptr[rax]);
            a.invlpg(__[VcpuFixture.Data]);
        });
        Assert.That(State->ExceptionsDelivered, Is.Zero);
    }

    [Test]
    public void InvlpgDropsAllOfALargePageThatNestedTablesHaveInPieces()
    {
        const ulong Entry = 0x3010;             // of the directory: the 2 MiB at 4 MiB
        const ulong Large = 0x40_0000;
        using var machine = new SharedMachine(1);
        machine.Write(Entry, 0x20_0087);
        machine.Write(0x30_0000, 1);
        machine.Write(SharedMachine.Data, 2);
        machine.Load(0, a =>
        {
            a.mov(rbx, __qword_ptr[Large + SharedMachine.Data]);
            a.mov(__dword_ptr[Entry], 0x87);
            a.invlpg(__[Large]);
            a.mov(rcx, __qword_ptr[Large + SharedMachine.Data]);
        });
        machine.RunAll();
        VcpuState* state = machine.Cpus[0].State;
        Assert.That((state->Gpr[3], state->Gpr[1]), Is.EqualTo((1UL, 2UL)));
    }

    [Test]
    public void PauseEndsRunWhereItYieldsAndTheRestFollows()
    {
        using var memory = new FlatMemory(1UL << 20);
        var bus = new RecordingBus { Memory = memory };
        using var vcpu = new SoftVcpu(memory, bus, 2 << 20) { YieldsAtPause = true };
        bus.Cpu = vcpu;
        byte[] code = [0x40, 0xF3, 0x90, 0x40, 0xF4];                   // inc eax; pause; inc eax; hlt
        code.CopyTo(new Span<byte>(memory.Base + 0x1000, code.Length));
        vcpu.State->Rip = 0x1000;
        Assert.That(vcpu.Run(100), Is.EqualTo(VcpuExit.Paused));
        Assert.That((vcpu.State->Gpr[0], vcpu.Instructions), Is.EqualTo((1UL, 2UL)));
        Assert.That(vcpu.TimeNanoseconds, Is.EqualTo(10_002UL));
        Assert.That(vcpu.Run(100), Is.EqualTo(VcpuExit.Halted));
        Assert.That((vcpu.State->Gpr[0], vcpu.Instructions), Is.EqualTo((2UL, 4UL)));
    }

    [Test]
    public void ASelectorIsLoweredToItsCallersPrivilege()
    {
        _fixture.Protected().Run32(a =>
        {
            a.mov(eax, 0x1230);
            a.mov(ecx, 0x9992);
            a.arpl(ax, cx);
            a.setz(bl);
            a.mov(__word_ptr[(int)VcpuFixture.Data], 3);
            a.arpl(__word_ptr[(int)VcpuFixture.Data], cx);
            a.setz(bh);
        });
        Assert.That((State->Gpr[0], (ushort)State->Gpr[3]), Is.EqualTo((0x1232UL, (ushort)1)));
        Assert.That(_fixture.Read(VcpuFixture.Data, 2), Is.EqualTo(3));
    }
}
