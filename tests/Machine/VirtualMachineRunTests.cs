using System;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class VirtualMachineRunTests
{
    [Test]
    public void AHaltEndsTheRun()
    {
        RunResult result = BareMachine.Run([0xF4], out _);                              // hlt
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt));
        Assert.That(result.Message, Is.Empty);
        Assert.That(result.GuestInstructions, Is.EqualTo(1UL));
    }

    [Test]
    public void AHaltWithInterruptsOnEndsItTooBecauseNothingCanWakeIt() =>
        Assert.That(BareMachine.Run([0xFB, 0xF4], out _).End, Is.EqualTo(RunEnd.Halt)); // sti; hlt

    [Test]
    public void ATextEndsTheRunAtTheTurnsEnd()
    {
        // mov dx, 3F8h; mov al, 'o'; out; mov al, 'k'; out; jmp $
        byte[] code = [0x66, 0xBA, 0xF8, 0x03, 0xB0, (byte)'o', 0xEE, 0xB0, (byte)'k', 0xEE, 0xEB, 0xFE];
        RunResult result = BareMachine.Run(code, out string console, until: "ok");
        Assert.That(result.End, Is.EqualTo(RunEnd.Until));
        Assert.That(console, Is.EqualTo("ok"));
        Assert.That(Encoding.ASCII.GetString(result.ConsoleTail.Span), Is.EqualTo("ok"));
        Assert.That(result.GuestInstructions, Is.InRange(10_000UL, 11_000UL));
    }

    [Test]
    public void AnEndlessGuestEndsAtItsLimits()
    {
        RunResult timed = BareMachine.Run([0xEB, 0xFE], out _, limit: TimeSpan.FromMilliseconds(1));
        Assert.That(timed.End, Is.EqualTo(RunEnd.Timeout));
        RunResult counted = BareMachine.Run([0xEB, 0xFE], out _, instructionsMax: 25_000);
        Assert.That(counted.End, Is.EqualTo(RunEnd.Timeout));
        Assert.That(counted.GuestInstructions, Is.InRange(25_000UL, 31_000UL));
    }

    [Test]
    public void AnExceptionWithoutATableIsATripleFault()
    {
        RunResult result = BareMachine.Run([0x0F, 0x0B], out _);                        // ud2
        Assert.That(result.End, Is.EqualTo(RunEnd.TripleFault));
        Assert.That(result.Message, Does.Contain("rip=10000"));
    }

    [TestCase(0, RunEnd.Halt)]
    [TestCase(5, RunEnd.Error)]
    public void AHaltWithErrorsFoundIsAFailure(int errors, RunEnd end)
    {
        // mov dword [9000h], errors; hlt
        byte[] code = [0xC7, 0x05, 0, 0x90, 0, 0, (byte)errors, 0, 0, 0, 0xF4];
        using var machine = new VirtualMachine(BareMachine.Options(code, errorCountGpa: 0x9000), new CollectingSink());
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(end));
        Assert.That(result.Message, errors == 0 ? Is.Empty : Does.Contain("5 errors"));
    }

    [Test]
    public void AnUnsupportedInstructionIsNamed()
    {
        RunResult result = BareMachine.Run([0x90, 0x0F, 0x58, 0xC1], out _);            // nop; addps xmm0, xmm1
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.Contain("0f 58 c1").And.Contain("0x10001"));
    }

    [Test]
    public void ASinkThatRefusesEndsTheRun()
    {
        var sink = new CollectingSink { Refuses = true };
        using var machine = new VirtualMachine(BareMachine.Options([0x66, 0xBA, 0xF8, 0x03, 0xEE, 0xEB, 0xFE]), sink);
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.Contain("console"));
    }

    [Test]
    public void AnObserverSeesTheRunAndItsAllocationsAreLeftOut()
    {
        var observer = new AllocatingObserver();
        using var machine = new VirtualMachine(
            BareMachine.Options([0xEB, 0xFE], limit: TimeSpan.FromMilliseconds(300)), new CollectingSink());
        RunResult result = machine.Run(observer);
        Assert.That(observer.Calls, Is.GreaterThan(0));
        Assert.That(result.ManagedBytesAllocated, Is.LessThan(AllocatingObserver.Bytes));
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
