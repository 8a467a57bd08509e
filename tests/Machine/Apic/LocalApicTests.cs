using NUnit.Framework;
using Pagoda.Machine.Apic;

namespace Pagoda.Tests.Machine.Apic;

public sealed class LocalApicTests
{
    [Test]
    public void InterruptsAreServedByPriorityAndNestOnlyUpwards()
    {
        var group = new ApicGroup(1);
        LocalApic apic = group.Apics[0];
        group.Enable(0);
        apic.Accept(DeliveryMode.Fixed, 0x31);
        apic.Accept(DeliveryMode.Fixed, 0x45);
        Assert.That(group.Targets[0].Events, Is.EqualTo(new[] { "interrupt", "interrupt" }));
        Assert.That(apic.TryAcknowledge(out byte vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x45));
        Assert.That(group.Read(0, 0xA0), Is.EqualTo(0x40), "processor priority");
        Assert.That(apic.TryAcknowledge(out _), Is.False, "31h is below what is served");
        apic.Accept(DeliveryMode.Fixed, 0x4F);
        Assert.That(apic.TryAcknowledge(out _), Is.False, "the same class does not interrupt itself");
        apic.Accept(DeliveryMode.Fixed, 0x51);
        Assert.That(apic.TryAcknowledge(out vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x51));
        group.Write(0, 0xB0, 0);
        group.Write(0, 0xB0, 0);
        Assert.That(apic.TryAcknowledge(out vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x4F));
        group.Write(0, 0xB0, 0);
        Assert.That(apic.TryAcknowledge(out vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x31));
    }

    [Test]
    public void TheTasksPriorityHoldsInterruptsBackAndIsTheProcessorsCr8()
    {
        var group = new ApicGroup(1);
        LocalApic apic = group.Apics[0];
        group.Enable(0);
        group.Write(0, 0x80, 0x53);
        Assert.That(group.Targets[0].TaskPriorityClass, Is.EqualTo(5));
        Assert.That(group.Read(0, 0x80), Is.EqualTo(0x53));
        apic.Accept(DeliveryMode.Fixed, 0x5F);
        Assert.That(apic.TryAcknowledge(out _), Is.False);
        group.Targets[0].TaskPriorityClass = 4;
        Assert.That(apic.TryAcknowledge(out byte vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x5F));
    }

    [Test]
    public void ADisabledApicTakesNoInterruptButNmiInitAndStart()
    {
        var group = new ApicGroup(1);
        LocalApic apic = group.Apics[0];
        apic.Accept(DeliveryMode.Fixed, 0x40);
        apic.Accept(DeliveryMode.Smi, 0);
        apic.Accept(DeliveryMode.Nmi, 0);
        apic.Accept(DeliveryMode.Init, 0);
        apic.Accept(DeliveryMode.Startup, 0x1D);
        Assert.That(group.Targets[0].Events, Is.EqualTo(new[] { "nmi", "init", "start 29" }));
        Assert.That(apic.TryAcknowledge(out _), Is.False);
    }

    [Test]
    public void InitForgetsEverything()
    {
        var group = new ApicGroup(1);
        group.Enable(0);
        group.Apics[0].Accept(DeliveryMode.Fixed, 0x40);
        group.Write(0, 0xD0, 0x0100_0000);
        group.Apics[0].Accept(DeliveryMode.Init, 0);
        Assert.That(group.Apics[0].TryAcknowledge(out _), Is.False);
        Assert.That(group.Read(0, 0xF0), Is.EqualTo(0xFF));
        Assert.That(group.Read(0, 0xD0), Is.Zero);
    }

    [Test]
    public void TheTimerRequestsItsVectorUnlessMasked()
    {
        var group = new ApicGroup(1);
        LocalApic apic = group.Apics[0];
        group.Enable(0);
        group.Write(0, 0x3E0, 0xB);
        group.Write(0, 0x380, 1000, now: 500);
        Assert.That(apic.TimerDeadline, Is.EqualTo(ulong.MaxValue), "masked since reset");
        Assert.That(group.Read(0, 0x390, now: 900), Is.EqualTo(600));
        group.Write(0, 0x320, 0x2_0055);
        Assert.That(apic.TimerDeadline, Is.EqualTo(1500));
        apic.CheckTimer(1499);
        Assert.That(apic.TryAcknowledge(out _), Is.False);
        apic.CheckTimer(1500);
        Assert.That(apic.TryAcknowledge(out byte vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x55));
        Assert.That(apic.TimerDeadline, Is.EqualTo(2500), "periodic");
    }
}
