using System;
using System.Threading;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.PageTables;
using Pagoda.Tests.Machine.Devices;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine;

[NonParallelizable]
public sealed class VirtualMachineThreadsTests
{
    [TestCase(2, TableKind.Ept, true)]
    [TestCase(4, TableKind.Ept, false)]
    [TestCase(3, TableKind.Rvi, true)]
    public void ProcessorsOnThreadsShareMemoryLocksAndAtomics(int processors, TableKind tables, bool hardwareAd)
    {
        RunResult result = TeamMachine.RunBuiltin(processors, threads: true, out string console, tables, hardwareAd);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message + console);
        Assert.That(console, Does.Contain(processors + " processors").And.Contain("locks: ok").And.EndsWith(
            "Errors: 0\n"));
        Assert.That(result.ProcessorInstructions.ToArray(), Is.All.GreaterThan(1_000_000UL));
    }

    [Test]
    public void AllHaltedEndsTheRunAndTheTimeLimitDoes()
    {
        RunResult halted = TeamMachine.RunPair(c => c.hlt(), c => c.hlt(), threads: true, out _);
        Assert.That(halted.End, Is.EqualTo(RunEnd.Halt));

        MachineOptions options = new()
        {
            Memory = BareMachine.Options([]).Memory,
            Boot = BareMachine.Options([0xEB, 0xFE]).Boot,  // jmp $
            ArenaBytes = 8UL << 20,
            Processors = 2,
            Threads = true,
            TimeLimit = TimeSpan.FromMilliseconds(1),
        };
        using var machine = new VirtualMachine(options, new CollectingSink());
        Assert.That(machine.Run().End, Is.EqualTo(RunEnd.Timeout));
    }

    [Test]
    public void OneThatSpinsWithPauseIsNotFarAheadOfOneThatWorks()
    {
        // The second counts 20 million instructions; the first pauses until it says so, ten microseconds each time.
        RunResult result = TeamMachine.RunPair(c =>
        {
            Label wait = c.CreateLabel("wait");
            TeamMachine.StartSecond(c);
            c.Label(ref wait);
            c.pause();
            c.cmp(__byte_ptr[0x9000], 0);
            c.je(wait);
            c.hlt();
        }, c =>
        {
            Label count = c.CreateLabel("count");
            c.mov(ax, 0x900);
            c.mov(ds, ax);
            c.mov(ecx, 10_000_000);
            c.Label(ref count);
            c.dec(ecx);
            c.jnz(count);
            c.mov(__byte_ptr[0], 1);
            c.hlt();
        }, threads: true, out _);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message);
        Assert.That(result.VirtualNanoseconds, Is.InRange(20_000_000UL, 24_000_000UL));
        Assert.That(result.ProcessorInstructions.Span[0], Is.LessThan(10_000UL));
    }

    [Test]
    public void NothingIsAllocatedByAnyThread()
    {
        MachineOptions options = new()
        {
            Memory = BareMachine.Options([]).Memory,
            Boot = BareMachine.Options([0xEB, 0xFE]).Boot,  // jmp $
            ArenaBytes = 8UL << 20,
            Processors = 2,
            Threads = true,
            InstructionsMax = 1_000_000,
        };
        VirtualMachine.Warm(options);
        using var machine = new VirtualMachine(options, new CollectingSink());
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(RunEnd.Timeout));
        Assert.That(result.ManagedBytesAllocated, Is.Zero);
    }

    [Test]
    public void ProcessorsGoOnWhileAChangeOfTheGuestWaitsAndTheRunIsWatched()
    {
        // A letter every hundred thousand instructions.
        MachineOptions bare = BareMachine.Options([
            0xBA, 0xF8, 0x03, 0x00, 0x00, 0xB9, 0xA0, 0x86, 0x01, 0x00, 0xE2, 0xFE, 0xEE, 0xEB, 0xF6]);
        var sink = new CollectingSink();
        using var machine = new VirtualMachine(new MachineOptions
        {
            Memory = bare.Memory, Boot = bare.Boot, ArenaBytes = bare.ArenaBytes, Threads = true,
            TimeLimit = TimeSpan.FromMinutes(5),
        }, sink);
        GuestConsumer consumer = machine.Guest.AddConsumer();
        Assert.That(consumer.Enter(out _), Is.True);
        var change = new Thread(() => machine.Guest.Unmap(new Gpa(MemoryMap.VgaTextStart), MemoryMap.VgaTextBytes));
        change.Start();
        Assert.That(SpinWait.SpinUntil(() => consumer.Poll(), 60_000), Is.True, "the change waits for the consumer");
        var run = new Thread(() => machine.Run(new IdleObserver()));
        run.Start();

        // Somebody looks at the counters four times a second.
        Thread.Sleep(600);
        int before = sink.Writes;
        bool goesOn = SpinWait.SpinUntil(() => sink.Writes > before + 2, 10_000);

        consumer.Exit();
        change.Join();
        sink.Refuses = true;
        run.Join();
        consumer.Dispose();
        Assert.That(goesOn, Is.True);
    }

    private sealed class IdleObserver : IRunObserver
    {
        public void Observe(in RunProgress progress)
        {
        }
    }
}
