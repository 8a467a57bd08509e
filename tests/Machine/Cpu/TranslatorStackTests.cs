using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class TranslatorStackTests
{
    [Test]
    public void APopIntoMemoryThatFaultsPopsNothing()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(14, 64);
        fixture.Memory.SetRights(0x10_0000, Prot.Read);
        fixture.Run64(a =>
        {
            a.push(5);
            a.pop(__qword_ptr[0x10_0000]);
        });
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x100E));
        Assert.That(fixture.Read(fixture.State->Gpr[4] + 32), Is.EqualTo(VcpuFixture.StackTop - 8));
    }

    [Test]
    public void SegmentRegistersArePushedAndPopped()
    {
        using VcpuFixture fixture = new VcpuFixture().Protected();
        fixture.Run32(a =>
        {
            a.push(ds);
            a.push(cs);
            a.pop(eax);
            a.pop(fs);
            a.mov(ebx, fs);
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(VcpuFixture.Code32));
        Assert.That(fixture.State->Gpr[3], Is.EqualTo(VcpuFixture.Data32));
        Assert.That(fixture.State->Gpr[4], Is.EqualTo(VcpuFixture.StackTop));
    }

    [Test]
    public void StringsOfEverySegmentOverrideReadThroughIt()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Cpu.SetSegment(5, 0, 0xC093, uint.MaxValue, VcpuFixture.Data);
        fixture.Write(VcpuFixture.Data + 8, 0x99, 1);
        fixture.Run64(a =>
        {
            a.mov(esi, 8);
            a.db(0x65, 0xAC);       // lodsb from GS
        });
        Assert.That((byte)fixture.State->Gpr[0], Is.EqualTo(0x99));
    }

    [Test]
    public void LeaveThatFaultsMovesNothing()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(14, 64);
        fixture.Memory.SetRights(0x10_0000, Prot.None);
        fixture.Run64(a =>
        {
            a.mov(ebp, 0x10_0000);
            a.leave();
        });
        Assert.That(fixture.State->Gpr[5], Is.EqualTo(0x10_0000));
        Assert.That(fixture.Read(fixture.State->Gpr[4] + 32), Is.EqualTo(VcpuFixture.StackTop));
    }
}
