using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class TranslatorSystemTests
{
    [Test]
    public void SegmentSelectorsGoToRegistersAndMemory()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.State->Gpr[0] = ulong.MaxValue;
        fixture.State->Gpr[3] = ulong.MaxValue;
        fixture.Write(VcpuFixture.Data, ulong.MaxValue);
        fixture.Run64(a =>
        {
            a.mov(ax, cs);
            a.mov(ebx, ds);
            a.mov(__word_ptr[VcpuFixture.Data], cs);
            a.mov(ecx, VcpuFixture.Data32);
            a.mov(__word_ptr[VcpuFixture.Data + 8], cx);
            a.mov(es, __word_ptr[VcpuFixture.Data + 8]);
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0xFFFF_FFFF_FFFF_0000 | VcpuFixture.Code64));
        Assert.That(fixture.State->Gpr[3], Is.EqualTo(VcpuFixture.Data32));
        Assert.That(fixture.Read(VcpuFixture.Data, 4), Is.EqualTo(0xFFFF_0000 | VcpuFixture.Code64));
        Assert.That(fixture.State->Es.Selector, Is.EqualTo(VcpuFixture.Data32));
    }

    [Test]
    public void MachineStatusWordsAreTheLowHalfOfCr0()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Run64(a =>
        {
            a.smsw(eax);
            a.smsw(__word_ptr[VcpuFixture.Data]);
            a.mov(ecx, 0xB);
            a.lmsw(cx);
            a.clts();
            a.mov(rbx, cr0);
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x8000_0011));
        Assert.That(fixture.Read(VcpuFixture.Data), Is.EqualTo(0x0011));
        Assert.That(fixture.State->Gpr[3], Is.EqualTo(0x8000_0013));
    }

    [Test]
    public void NearJumpsOfSixteenBitsCutTheInstructionPointer()
    {
        using VcpuFixture fixture = new VcpuFixture().Protected();
        fixture.Load(0x8000, 32, a => a.hlt());
        fixture.Load(VcpuFixture.Code, 32, a =>
        {
            a.mov(eax, 0x7_8000);
            a.jmp(ax);
        });
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(fixture.State->Rip, Is.EqualTo(0x8001));
    }

    [TestCase(0x05, 0x90)]      // syscall
    [TestCase(0x01, 0xC1)]      // vmcall
    [TestCase(0x6F, 0xC1)]      // movq mm0, mm1
    public void WhatIsNotThereIsUnsupported(int second, int third)
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.LoadBytes(VcpuFixture.Code, 0x0F, (byte)second, (byte)third);
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Unsupported));
    }

    [Test]
    public void InvalidBytesAreAnUndefinedOpcode()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(6, 64);
        fixture.LoadBytes(VcpuFixture.Code, 0x06);
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x1006));
    }
}
