using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine;
using Pagoda.Machine.Apic;

namespace Pagoda.Tests.Machine;

public sealed unsafe class ScheduleTests
{
    private static readonly byte[] s_loop = [0xEB, 0xFE];               // jmp $

    [Test]
    public void TheLowestClockHasTheNextTurnAndTheFirstOfEquals()
    {
        using var set = new ProcessorGroup(3);
        using var schedule = new Schedule(set.Processors);
        StartAll(set);
        Assert.That(schedule.Next(), Is.SameAs(set.Processors[0]));
        set.Processors[0].Run(1000);
        Assert.That(schedule.Next(), Is.SameAs(set.Processors[1]));
        set.Processors[1].Run(2000);
        Assert.That(schedule.Next(), Is.SameAs(set.Processors[2]));
        set.Processors[2].Run(1500);
        Assert.That(schedule.Next(), Is.SameAs(set.Processors[0]));
        Assert.That(schedule.LowestClock, Is.EqualTo(set.Processors[0].Clock));
    }

    [Test]
    public void IdleOnesHaveNoTurnAndHoldNobodyBack()
    {
        using var set = new ProcessorGroup(2);
        using var schedule = new Schedule(set.Processors);
        set.Guest.Write(new Gpa(0), [0xF4]);                            // hlt
        ulong isStopped = 0;
        set.Processors[0].Vcpu.AdvanceTime(100 * Schedule.LeadMax);
        set.Processors[0].Run(10);
        schedule.WaitForOthers(set.Processors[0], &isStopped);          // or this would never end
        set.Processors[0].UpdateIdle();
        Assert.That(schedule.Next(), Is.Null, "the one halts, the other was never started");
        Assert.That(schedule.LowestClock, Is.EqualTo(ulong.MaxValue));
    }

    [Test]
    public void AnIdleOnesTimerCountsLikeAClock()
    {
        using var set = new ProcessorGroup(1);
        using var schedule = new Schedule(set.Processors);
        Processor processor = set.Processors[0];
        set.Guest.Write(new Gpa(0), [0xFB, 0xF4]);                      // sti; hlt
        processor.Apic.Write(0xF0, 4, 0x1FF, 0);
        processor.Apic.Write(0x3E0, 4, 0xB, 0);
        processor.Apic.Write(0x320, 4, 0x20, 0);
        processor.Apic.Write(0x380, 4, 7000, 0);
        processor.Run(10);
        processor.UpdateIdle();
        Assert.That(processor.IsIdle, Is.True);
        Assert.That(schedule.Next(), Is.SameAs(processor));
        Assert.That(processor.IsIdle, Is.False);
        Assert.That(processor.Clock, Is.EqualTo(7000UL));
    }

    [Test]
    public void OneTooFarAheadWaitsUntilTheRunIsStopped()
    {
        using var set = new ProcessorGroup(2);
        using var schedule = new Schedule(set.Processors);
        StartAll(set);
        set.Processors[1].Vcpu.AdvanceTime(10 * Schedule.LeadMax);
        set.Processors[1].Run(10);
        ulong isStopped = 1;
        schedule.WaitForOthers(set.Processors[1], &isStopped);
        isStopped = 0;
        set.Processors[0].Vcpu.AdvanceTime(10 * Schedule.LeadMax);
        set.Processors[0].Run(10);
        schedule.Publish(set.Processors[0]);
        schedule.WaitForOthers(set.Processors[1], &isStopped);
    }

    private static void StartAll(ProcessorGroup set)
    {
        set.Guest.Write(new Gpa(0), s_loop);
        set.Guest.Write(new Gpa(0x1000), s_loop);
        for (int i = 1; i < set.Processors.Length; i++) set.Processors[i].Apic.Accept(DeliveryMode.Startup, 1);
    }
}
