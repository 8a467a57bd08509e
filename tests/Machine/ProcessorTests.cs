using System;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Apic;
using Pagoda.Machine.Cpu;
using Pagoda.Machine.Devices;
using Pagoda.Physical;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class ProcessorTests
{
    [Test]
    public void TheFirstRunsAndOthersWaitForInitAndStart()
    {
        using var set = new ProcessorGroup(2);
        Assert.That(set.Processors[0].IsIdle, Is.False);
        Processor second = set.Processors[1];
        Assert.That(second.IsIdle, Is.True);
        Assert.That(second.Run(100), Is.EqualTo(VcpuExit.WaitingForStartup));
        second.Apic.Accept(DeliveryMode.Startup, 0x10);
        Assert.That(second.IsIdle, Is.False);
        second.UpdateIdle();
        Assert.That(second.IsIdle, Is.False, "it has its start to take");
    }

    [Test]
    public void OneThatIsWokenHasSleptUntilThen()
    {
        using var set = new ProcessorGroup(2);
        set.Devices.TimeAt(5_000);
        Processor second = set.Processors[1];
        second.Apic.Accept(DeliveryMode.Startup, 0x10);
        Assert.That(second.Clock, Is.EqualTo(5_000UL));
        second.Run(1);
        Assert.That(second.Clock, Is.GreaterThanOrEqualTo(5_000UL));
    }

    [Test]
    public unsafe void ATurnEndsBeforeTheTimerIsDue()
    {
        using var set = new ProcessorGroup(1);
        Processor processor = set.Processors[0];
        set.Guest.Write(new Pagoda.Core.Gpa(0), [0xEB, 0xFE]);          // jmp $
        processor.Apic.Write(0xF0, 4, 0x1FF, 0);
        processor.Apic.Write(0x3E0, 4, 0xB, 0);
        processor.Apic.Write(0x320, 4, 0x20, 0);
        processor.Apic.Write(0x380, 4, 50, 0);
        Assert.That(processor.Run(10_000), Is.EqualTo(VcpuExit.BudgetExhausted));
        Assert.That(processor.Clock, Is.InRange(50UL, 60UL));
        processor.Run(10);
        Assert.That(processor.Apic.TimerDeadline, Is.EqualTo(ulong.MaxValue), "it was taken");
        Assert.That(processor.TryAcknowledge(out byte vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x20));
    }
}

/// <summary>Processors of a small guest, without a machine around them.</summary>
internal sealed class ProcessorGroup : IDisposable
{
    private const ulong GuestBytes = 2UL << 20;
    private readonly Arena _arena;
    private readonly CodeLines _code;
    private readonly ExclusiveSection _section;

    public ProcessorGroup(int count)
    {
        _arena = new Arena(new ArenaOptions { Bytes = 2 * GuestBytes, PhysBits = CpuidModel.PhysBits });
        Guest = new Guest(_arena, new GuestOptions());
        Guest.MapMemory(new Pagoda.Core.Gpa(0), GuestBytes);
        var console = new SerialConsole(new CollectingSink(), new TextMatcher(ReadOnlySpan<byte>.Empty));
        Devices = new SharedDevices(new PortSpace(console), count);
        _code = new CodeLines(_arena);
        _section = new ExclusiveSection(count);
        Processors = new Processor[count];
        for (int i = 0; i < count; i++) Processors[i] = new Processor(i, Guest, Devices, _code, _section);
    }

    public Guest Guest { get; }

    public SharedDevices Devices { get; }

    public Processor[] Processors { get; }

    public void Dispose()
    {
        foreach (Processor processor in Processors) processor.Dispose();
        _section.Dispose();
        _code.Dispose();
        Guest.Dispose();
        _arena.Dispose();
    }
}
