using System;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.PageTables;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

/// <summary>Machines that run a few hand-assembled 32-bit instructions at 10000h.</summary>
public sealed class VirtualMachineTests
{
    private const uint Start = 0x10000;
    private const ulong ArenaBytes = 8UL << 20;

    [Test]
    public void AHaltEndsTheRun()
    {
        RunResult result = Run([0xF4], out _);                              // hlt
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt));
        Assert.That(result.Message, Is.Empty);
        Assert.That(result.GuestInstructions, Is.EqualTo(1UL));
    }

    [Test]
    public void AHaltWithInterruptsOnEndsItTooBecauseNothingCanWakeIt() =>
        Assert.That(Run([0xFB, 0xF4], out _).End, Is.EqualTo(RunEnd.Halt)); // sti; hlt

    [Test]
    public void TheGuestStartsFlatWithItsZeroPage()
    {
        // mov eax, [esi+1E8h]; mov dx, 3F8h; add al, '0'; out dx, al; mov ax, cs; out dx, al; mov ax, ds; out; hlt
        byte[] code =
        [
            0x8B, 0x86, 0xE8, 0x01, 0, 0, 0x66, 0xBA, 0xF8, 0x03, 0x04, 0x30, 0xEE, 0x66, 0x8C, 0xC8, 0xEE,
            0x66, 0x8C, 0xD8, 0xEE, 0xF4,
        ];
        RunResult result = Run(code, out string console);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message);
        Assert.That(console, Is.EqualTo("4\u0010\u0018"), "entries of the memory map, CS, DS");
        Assert.That(result.IoExits, Is.EqualTo(3UL));
    }

    [Test]
    public void ATextEndsTheRunAtTheTurnsEnd()
    {
        // mov dx, 3F8h; mov al, 'o'; out; mov al, 'k'; out; jmp $
        byte[] code = [0x66, 0xBA, 0xF8, 0x03, 0xB0, (byte)'o', 0xEE, 0xB0, (byte)'k', 0xEE, 0xEB, 0xFE];
        RunResult result = Run(code, out string console, until: "ok");
        Assert.That(result.End, Is.EqualTo(RunEnd.Until));
        Assert.That(console, Is.EqualTo("ok"));
        Assert.That(Encoding.ASCII.GetString(result.ConsoleTail.Span), Is.EqualTo("ok"));
        Assert.That(result.GuestInstructions, Is.InRange(10_000UL, 11_000UL));
    }

    [Test]
    public void AnEndlessGuestEndsAtItsLimits()
    {
        Assert.That(Run([0xEB, 0xFE], out _, limit: TimeSpan.FromMilliseconds(1)).End, Is.EqualTo(RunEnd.Timeout));
        RunResult counted = Run([0xEB, 0xFE], out _, instructionsMax: 25_000);
        Assert.That(counted.End, Is.EqualTo(RunEnd.Timeout));
        Assert.That(counted.GuestInstructions, Is.InRange(25_000UL, 31_000UL));
    }

    [Test]
    public void AnExceptionWithoutATableIsATripleFault()
    {
        RunResult result = Run([0x0F, 0x0B], out _);                        // ud2
        Assert.That(result.End, Is.EqualTo(RunEnd.TripleFault));
        Assert.That(result.Message, Does.Contain("rip=10000"));
    }

    [Test]
    public void AnUnsupportedInstructionIsNamed()
    {
        RunResult result = Run([0x90, 0x0F, 0x58, 0xC1], out _);            // nop; addps xmm0, xmm1
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.Contain("0f 58 c1").And.Contain("0x10001"));
    }

    [Test]
    public void AResetEndsTheRun()
    {
        RunResult result = Run([0xB0, 0xFE, 0xE6, 0x64, 0xEB, 0xFE], out _); // mov al, 0FEh; out 64h, al; jmp $
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.Contain("reset"));
    }

    [Test]
    public void HolesReadOnesAndDropWrites()
    {
        // mov dword [0A0000h], 0; mov eax, [0A0000h]; mov dx, 3F8h; out dx, al; hlt
        byte[] code =
        [
            0xC7, 0x05, 0, 0, 0x0A, 0, 0, 0, 0, 0, 0xA1, 0, 0, 0x0A, 0, 0x66, 0xBA, 0xF8, 0x03, 0xEE, 0xF4,
        ];
        RunResult result = Run(code, out string console);
        Assert.That(console, Is.EqualTo("\u00FF"), result.Message);
        Assert.That(result.MmioExits, Is.EqualTo(2UL));
    }

    [Test]
    public void TheRomReadsZerosAndDropsWrites()
    {
        // mov byte [0C0123h], 5; mov al, [0C0123h]; add al, '0'; mov dx, 3F8h; out dx, al; hlt
        byte[] code =
        [
            0xC6, 0x05, 0x23, 0x01, 0x0C, 0, 5, 0xA0, 0x23, 0x01, 0x0C, 0, 0x04, 0x30, 0x66, 0xBA, 0xF8, 0x03, 0xEE,
            0xF4,
        ];
        RunResult result = Run(code, out string console);
        Assert.That(console, Is.EqualTo("0"), result.Message);
        Assert.That(result.MmioExits, Is.EqualTo(1UL));
    }

    [Test]
    public void VgaTextIsMemory()
    {
        // mov byte [0B8000h], 'v'; mov al, [0B8000h]; mov dx, 3F8h; out dx, al; hlt
        byte[] code =
        [
            0xC6, 0x05, 0x00, 0x80, 0x0B, 0, (byte)'v', 0xA0, 0x00, 0x80, 0x0B, 0, 0x66, 0xBA, 0xF8, 0x03, 0xEE, 0xF4,
        ];
        RunResult result = Run(code, out string console);
        Assert.That(console, Is.EqualTo("v"), result.Message);
        Assert.That(result.MmioExits, Is.Zero);
    }

    [Test]
    public void ASinkThatRefusesEndsTheRun()
    {
        var sink = new CollectingSink { Refuses = true };
        using var machine = new VirtualMachine(Options([0x66, 0xBA, 0xF8, 0x03, 0xEE, 0xEB, 0xFE]), sink);
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.Contain("console"));
    }

    [Test]
    public void AnArenaWithoutRoomForTheGuestIsRefusedOrEndsTheRunWithTheReason()
    {
        MachineOptions options = Options([0xF4], arenaBytes: 1UL << 20);
        Assert.That(() => new VirtualMachine(options, new CollectingSink()),
            Throws.TypeOf<MachineException>().With.Message.Contains("arena"));

        // cld; mov edi, 100000h; mov ecx, 40000h; rep stosd; hlt: touches more than the arena holds beside the tables
        byte[] code = [0xFC, 0xBF, 0, 0, 0x10, 0, 0xB9, 0, 0, 4, 0, 0xF3, 0xAB, 0xF4];
        using var machine = new VirtualMachine(Options(code, arenaBytes: 2UL << 20), new CollectingSink());
        RunResult result = machine.Run();
        if (result.End == RunEnd.Halt) Assert.Pass("a MiB fits");
        Assert.That(result.Message, Does.Contain("arena"));
    }

    [Test]
    public void AnObserverSeesTheRunAndItsAllocationsAreLeftOut()
    {
        var observer = new AllocatingObserver();
        using var machine = new VirtualMachine(
            Options([0xEB, 0xFE], limit: TimeSpan.FromMilliseconds(300)), new CollectingSink());
        RunResult result = machine.Run(observer);
        Assert.That(observer.Calls, Is.GreaterThan(0));
        Assert.That(result.ManagedBytesAllocated, Is.LessThan(AllocatingObserver.Bytes));
    }

    private static RunResult Run(
        byte[] code, out string console, string until = "", TimeSpan? limit = null,
        ulong instructionsMax = ulong.MaxValue)
    {
        var sink = new CollectingSink();
        using var machine = new VirtualMachine(Options(code, until, limit, instructionsMax), sink);
        RunResult result = machine.Run();
        console = sink.Text;
        return result;
    }

    private static MachineOptions Options(
        byte[] code, string until = "", TimeSpan? limit = null, ulong instructionsMax = ulong.MaxValue,
        ulong arenaBytes = ArenaBytes)
    {
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        return new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForProgram(Start, code, map),
            ArenaBytes = arenaBytes,
            Tables = TableKind.Ept,
            Until = Encoding.ASCII.GetBytes(until),
            TimeLimit = limit ?? TimeSpan.FromMinutes(1),
            InstructionsMax = instructionsMax,
        };
    }

    private sealed class AllocatingObserver : IRunObserver
    {
        public const int Bytes = 10_000_000;
        private object? _kept;

        public int Calls { get; private set; }

        public void Observe(in RunProgress progress)
        {
            Calls++;
            _kept = new byte[Bytes];
            GC.KeepAlive(_kept);
        }
    }
}
