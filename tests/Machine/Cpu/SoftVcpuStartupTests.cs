using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>INIT and start-up messages, and the way of an application processor to 64 bits.</summary>
public sealed unsafe class SoftVcpuStartupTests
{
    private const byte Page = 0x12;
    private const ulong Trampoline = (ulong)Page << 12;
    private const ulong Tables = 0x10_0000;

    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void AnInitResetsAndWaitsForAStartupMessage()
    {
        _fixture.Long().Run64(a => a.mov(eax, 5));
        ulong before = _fixture.Cpu.Instructions;
        _fixture.Cpu.RequestInit();
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.WaitingForStartup));
        Assert.That((State->Cr0, State->Cr4, State->Efer, State->Rip), Is.EqualTo((0x10UL, 0UL, 0UL, 0xFFF0UL)));
        Assert.That(State->Cs.Selector, Is.EqualTo(0xF000));
        Assert.That(State->SegmentBase[1], Is.EqualTo(0xFFFF_0000UL));
        Assert.That(_fixture.Cpu.Rflags, Is.EqualTo(2));
        Assert.That(_fixture.Cpu.Instructions, Is.EqualTo(before), "time goes on");
        _fixture.Cpu.RequestNmi();
        Assert.That(_fixture.Cpu.IsRunnable, Is.False, "an NMI does not start it");
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.WaitingForStartup));
    }

    [Test]
    public void AStartupMessageRunsItInRealModeAtItsPage()
    {
        _fixture.Load(Trampoline, 16, a =>
        {
            a.mov(ax, cs);
            a.mov(bx, sp);
            a.hlt();
        });
        _fixture.Cpu.RequestInit();
        _fixture.Cpu.RequestStartup(Page);
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.Halted));
        Assert.That((State->Gpr[0], State->Gpr[3], State->Rip), Is.EqualTo(((ulong)Page << 8, 0UL, 5UL)));
        Assert.That(State->SegmentBase[1], Is.EqualTo(Trampoline));
    }

    [Test]
    public void AStartupMessageToARunningProcessorIsIgnored()
    {
        _fixture.Long();
        _fixture.Cpu.RequestStartup(Page);
        _fixture.Run64(a => a.mov(eax, 1));
        Assert.That(State->Gpr[0], Is.EqualTo(1));
        Assert.That(_fixture.Cpu.IsRunnable, Is.False);
    }

    [Test]
    public void AStartupMessageToAHaltedProcessorDoesNotStartItAfterALaterInit()
    {
        _fixture.Long();
        _fixture.Run64(a => a.mov(eax, 1));
        Assert.That(State->Activity, Is.EqualTo(VcpuActivity.Halted));
        _fixture.Cpu.RequestStartup(Page);
        Assert.That(_fixture.Cpu.IsRunnable, Is.False);
        _fixture.Cpu.RequestInit();
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.WaitingForStartup));
        Assert.That(_fixture.Cpu.IsRunnable, Is.False);
    }

    [Test]
    public void ATrampolineReachesProtectedModeAndThenSixtyFourBits()
    {
        const ulong Protected = Trampoline + 0x100;
        const ulong Wide = Trampoline + 0x200;
        const ulong GdtPointer = Trampoline + 0x80;
        _fixture.Long();        // the descriptor table
        _fixture.Write(GdtPointer, 0x4F | VcpuFixture.Gdt << 16, 6);
        // LGDT with a 32-bit base, LMSW-like CR0, and a far jump with a 32-bit offset.
        _fixture.Load(Trampoline, 16, a =>
        {
            a.cli();
            a.mov(ax, cs);
            a.mov(ds, eax);
            a.db(0x66, 0x0F, 0x01, 0x16, 0x80, 0x00);       // lgdt [80h], 32 bits
            a.mov(eax, cr0);
            a.or(al, 1);
            a.mov(cr0, eax);
            a.db(0x66, 0xEA);                               // jmp far 18h:Protected
            a.dd((uint)Protected);
            a.dw(VcpuFixture.Code32);
        });
        _fixture.Load(Protected, 32, a =>
        {
            a.mov(ecx, VcpuFixture.Data32);
            a.mov(ss, ecx);
            a.mov(ds, ecx);
            a.mov(esp, 0x3_0000);
            a.mov(eax, 0x20);
            a.mov(cr4, eax);
            a.mov(eax, (uint)Tables);
            a.mov(cr3, eax);
            a.mov(ecx, 0xC000_0080);
            a.mov(eax, 0x100);
            a.xor(edx, edx);
            a.wrmsr();
            a.mov(eax, 0x8000_0011);
            a.mov(cr0, eax);
            a.db(0xEA);
            a.dd((uint)Wide);
            a.dw(VcpuFixture.Code64);
        });
        _fixture.Load(Wide, 64, a =>
        {
            a.mov(rax, 0x1_2345_6789);
            a.push(rax);
            a.hlt();
        });
        _fixture.Cpu.RequestInit();
        _fixture.Cpu.RequestStartup(Page);
        Assert.That(_fixture.Cpu.Run(1000), Is.EqualTo(VcpuExit.Halted), _fixture.Cpu.DescribeRegisters());
        Assert.That(State->Gpr[0], Is.EqualTo(0x1_2345_6789));
        Assert.That(State->ModeKey, Is.EqualTo(ModeKeys.Size64));
        Assert.That(State->Gpr[4], Is.EqualTo(0x2_FFF8));
    }
}
