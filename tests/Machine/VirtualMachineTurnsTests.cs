using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine;

public sealed class VirtualMachineTurnsTests
{
    private const int Flag = 0x9000;
    private const int Table = 0x2_4000;
    private const int TableRegister = 0x2_5000;

    [Test]
    public void ASecondProcessorStartsInRealModeAndBothShareMemory()
    {
        RunResult result = TeamMachine.RunPair(WaitForFlag, c =>
        {
            c.mov(ax, Flag >> 4);
            c.mov(ds, ax);
            c.mov(__byte_ptr[0], 1);
            c.hlt();
        }, threads: false, out string console);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message);
        Assert.That(console, Is.EqualTo("ab"));
        Assert.That(result.ProcessorInstructions.Length, Is.EqualTo(2));
        Assert.That(result.ProcessorInstructions.Span[1], Is.EqualTo(4UL));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void ANonMaskableInterruptWakesAProcessorThatHalts(bool threads)
    {
        RunResult result = TeamMachine.RunPair(c =>
        {
            Label wait = c.CreateLabel("wait");
            TeamMachine.StartSecond(c);
            c.mov(ecx, 2000);
            c.Label(ref wait);
            c.pause();
            c.dec(ecx);
            c.jnz(wait);
            TeamMachine.Send(c, 'n');
            c.mov(__dword_ptr[0xFEE0_0300], 0x4400);
            c.hlt();
        }, HaltAndHandle, threads, out string console);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message);
        Assert.That(console, Is.EqualTo("hnNw"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void AHaltedProcessorSkipsToItsTimersInterrupt(bool threads)
    {
        RunResult result = TeamMachine.RunPair(c => c.hlt(), c => c.hlt(), threads, out _);
        Assert.That(result.VirtualNanoseconds, Is.LessThan(1_000UL));

        result = TeamMachine.RunPair(c =>
        {
            Label main = c.CreateLabel("main");
            c.jmp(main);
            TeamMachine.Send(c, 't');                       // the handler of vector 20h, at 10002h
            c.mov(__dword_ptr[0xFEE0_00B0], 0);
            c.iretd();
            c.Label(ref main);
            c.mov(__dword_ptr[Table + 0x100], 0x0010_0002);
            c.mov(__dword_ptr[Table + 0x104], 0x0001_8E00);
            c.mov(__word_ptr[TableRegister], 0x1FF);
            c.mov(__dword_ptr[TableRegister + 2], Table);
            c.lidt(__[TableRegister]);
            c.mov(__dword_ptr[0xFEE0_00F0], 0x1FF);
            c.mov(__dword_ptr[0xFEE0_03E0], 0xB);
            c.mov(__dword_ptr[0xFEE0_0320], 0x20);
            c.mov(__dword_ptr[0xFEE0_0380], 1_000_000);
            c.sti();
            c.hlt();
            TeamMachine.Send(c, 'w');
            c.cli();
            c.hlt();
        }, c => c.hlt(), threads, out string console);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message);
        Assert.That(console, Is.EqualTo("tw"));
        Assert.That(result.VirtualNanoseconds, Is.InRange(1_000_000UL, 1_100_000UL));
        Assert.That(result.GuestInstructions, Is.LessThan(100UL));
    }

    [Test]
    public void ARunOfManyRepeatsToTheCounter()
    {
        RunResult first = TeamMachine.RunBuiltin(3, threads: false, out string firstConsole);
        RunResult second = TeamMachine.RunBuiltin(3, threads: false, out string secondConsole);
        Assert.That(first.End, Is.EqualTo(RunEnd.Halt), first.Message + firstConsole);
        Assert.That(secondConsole, Is.EqualTo(firstConsole));
        Assert.That(second.ProcessorInstructions.ToArray(), Is.EqualTo(first.ProcessorInstructions.ToArray()));
        Assert.That(second.VirtualNanoseconds, Is.EqualTo(first.VirtualNanoseconds));
        Assert.That(second.Counters.NestedFaults, Is.EqualTo(first.Counters.NestedFaults));
        Assert.That(second.MmioExits, Is.EqualTo(first.MmioExits));
    }

    [Test]
    public void ATripleFaultOfAnyProcessorEndsTheRunAndIsNamed()
    {
        RunResult result = TeamMachine.RunPair(WaitForFlag, c =>
        {
            c.lidt(__[0x100]);                              // zeros: no table
            c.ud2();
        }, threads: false, out _);
        Assert.That(result.End, Is.EqualTo(RunEnd.TripleFault), result.Message);
        Assert.That(result.Message, Does.StartWith("processor 1: "));
    }

    private static void WaitForFlag(Assembler c)
    {
        Label wait = c.CreateLabel("wait");
        TeamMachine.Send(c, 'a');
        TeamMachine.StartSecond(c);
        c.Label(ref wait);
        c.pause();
        c.cmp(__byte_ptr[Flag], 0);
        c.je(wait);
        TeamMachine.Send(c, 'b');
        c.hlt();
    }

    // Real mode: the vector of NMI at 0:8.
    private static void HaltAndHandle(Assembler c)
    {
        Label main = c.CreateLabel("main");
        c.jmp(main);
        TeamMachine.Send(c, 'N');                           // the handler, behind a jump of two bytes
        c.iret();
        c.Label(ref main);
        c.xor(ax, ax);
        c.mov(ds, ax);
        c.mov(ss, ax);
        c.mov(sp, 0x9000);
        c.mov(__word_ptr[8], 2);
        c.mov(__word_ptr[10], (short)(TeamMachine.StartGpa >> 4));
        TeamMachine.Send(c, 'h');
        c.hlt();
        TeamMachine.Send(c, 'w');
        c.hlt();
    }
}
