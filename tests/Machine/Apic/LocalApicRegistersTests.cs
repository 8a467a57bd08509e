using NUnit.Framework;

namespace Pagoda.Tests.Machine.Apic;

public sealed class LocalApicRegistersTests
{
    [TestCase(0x020, 0x0100_0000u, "identity")]
    [TestCase(0x030, 0x0005_0014u, "version")]
    [TestCase(0x080, 0u, "task priority")]
    [TestCase(0x0D0, 0u, "logical identity")]
    [TestCase(0x0E0, 0xFFFF_FFFFu, "logical format")]
    [TestCase(0x0F0, 0xFFu, "spurious")]
    [TestCase(0x280, 0u, "errors")]
    [TestCase(0x320, 0x1_0000u, "timer entry")]
    [TestCase(0x350, 0x1_0000u, "LINT0")]
    [TestCase(0x370, 0x1_0000u, "error entry")]
    public void AfterResetTheyHoldWhatTheManualSays(int offset, uint value, string name) =>
        Assert.That(new ApicGroup(2).Read(1, offset), Is.EqualTo(value), name);

    [Test]
    public void RequestedAndServedVectorsAreShown()
    {
        var group = new ApicGroup(1);
        group.Enable(0);
        group.Send(0, 0x4_0043);                            // fixed, to itself
        Assert.That(group.Read(0, 0x220), Is.EqualTo(1u << 3));
        group.Apics[0].TryAcknowledge(out _);
        Assert.That(group.Read(0, 0x220), Is.Zero);
        Assert.That(group.Read(0, 0x120), Is.EqualTo(1u << 3));
        Assert.That(group.Read(0, 0x1A0), Is.Zero, "no interrupt is by level");
    }

    [Test]
    public void OnlyWholeRegistersAreAccessed()
    {
        var group = new ApicGroup(2);
        Assert.That(group.Apics[1].Read(0x24, 4, 0), Is.Zero);
        Assert.That(group.Apics[1].Read(0x20, 2, 0), Is.Zero);
        group.Apics[1].Write(0xD0, 1, 0xFF, 0);
        group.Apics[1].Write(0xD8, 4, 0xFF00_0000, 0);
        Assert.That(group.Read(1, 0xD0), Is.Zero);
    }

    [Test]
    public void ReadOnlyRegistersStay()
    {
        var group = new ApicGroup(2);
        foreach (int offset in new[] { 0x20, 0x30, 0xA0, 0x100, 0x200, 0x390 }) group.Write(1, offset, 0xFFFF_FFFF);
        Assert.That(group.Read(1, 0x20), Is.EqualTo(0x0100_0000));
        Assert.That(group.Read(1, 0x100), Is.Zero);
        Assert.That(group.Read(1, 0x200), Is.Zero);
        Assert.That(group.Read(1, 0x280), Is.Zero);
    }

    [Test]
    public void ErrorsAreLatchedByAWriteAndReported()
    {
        var group = new ApicGroup(2);
        group.Enable(0);
        group.Write(0, 0x370, 0x66);
        group.Send(0, 0x0F, 1);                             // a fixed interrupt with an illegal vector is not sent
        Assert.That(group.Read(0, 0x280), Is.Zero);
        group.Write(0, 0x280, 0);
        Assert.That(group.Read(0, 0x280), Is.EqualTo(1u << 5));
        Assert.That(group.Apics[0].TryAcknowledge(out byte vector), Is.True);
        Assert.That(vector, Is.EqualTo(0x66));
        group.Read(0, 0x3F0);                               // there is no such register
        group.Write(0, 0x280, 0);
        Assert.That(group.Read(0, 0x280), Is.EqualTo(1u << 7));
        group.Write(0, 0x280, 0);
        Assert.That(group.Read(0, 0x280), Is.Zero);
    }

    [Test]
    public void DisablingMasksAllEntries()
    {
        var group = new ApicGroup(1);
        group.Enable(0);
        group.Write(0, 0x320, 0x40);
        Assert.That(group.Read(0, 0x320), Is.EqualTo(0x40));
        group.Write(0, 0xF0, 0xFF);
        Assert.That(group.Read(0, 0x320), Is.EqualTo(0x1_0040));
        group.Write(0, 0x320, 0x41);
        Assert.That(group.Read(0, 0x320), Is.EqualTo(0x1_0041));
    }

    [Test]
    public void SendingIsOverAtOnce()
    {
        var group = new ApicGroup(2);
        group.Send(0, 0x4500 | 1 << 12, 1);
        Assert.That(group.Read(0, 0x300), Is.EqualTo(0x4500), "not pending");
        Assert.That(group.Read(0, 0x310), Is.EqualTo(0x0100_0000));
        Assert.That(group.Targets[1].Events, Is.EqualTo(new[] { "init" }));
    }
}
