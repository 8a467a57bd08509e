using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class SoftVcpuStackTests
{
    [Test]
    public void StackInstructionsAgreeWithTheHost()
    {
        var random = new SeededGenerator(121);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 40; i++)
        {
            int level = random.Below(4);
            difference.Check(a =>
            {
                a.mov(rbp, rsp);
                a.lea(rsp, __[rsp - 0x400]);
                a.push(ax);
                a.push(rbx);
                a.push(-5);
                a.push(0x1234_5678);
                a.push(__qword_ptr[rsi]);
                a.pushfq();
                a.pop(rdx);
                a.and(edx, 0xCD5);
                a.pushf();
                a.pop(cx);
                a.and(ecx, 0x8D5);
                a.push(rsp);
                a.pop(__qword_ptr[rsp + 16]);
                a.enter(32, (byte)level);
                a.mov(rax, __qword_ptr[rsp + 40]);
                a.mov(r8, rbp);
                a.sub(r8, rsp);
                a.leave();
                a.pop(__word_ptr[rsi + 8]);
                a.pop(r11w);
                a.push(0x2D5);
                a.popfq();
                a.xor(eax, eax);
                a.mov(rsp, rbp);
                a.mov(rbp, rsi);
            });
        }
    }

    [Test]
    public void PoppingAllLeavesTheStackPointerToTheInstruction()
    {
        using VcpuFixture fixture = new VcpuFixture().Protected();
        fixture.Run32(a =>
        {
            for (int i = 0; i < 8; i++) a.push(0x100 + i);
            a.popad();
            a.db(0x66, 0x60);
            a.db(0x66, 0x61);
        });
        Assert.That(fixture.State->Gpr[4], Is.EqualTo(VcpuFixture.StackTop));
        Assert.That(fixture.State->Gpr[7], Is.EqualTo(0x107));
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x100));
        Assert.That(fixture.State->Gpr[3], Is.EqualTo(0x103));
    }

    [Test]
    public void ASixteenBitStackWrapsInItsSegment()
    {
        using VcpuFixture fixture = new VcpuFixture().Protected();
        fixture.Cpu.SetSegment(2, VcpuFixture.Data32, 0x0093, 0xFFFF, 0x10_0000);
        fixture.Cpu.ModeChanged();
        fixture.State->Gpr[4] = 0x5_0002;
        fixture.Run32(a =>
        {
            a.mov(eax, 0x1122_3344);
            a.push(ax);
            a.push(eax);
            a.mov(ecx, esp);
            a.pop(ebx);
        });
        Assert.That(fixture.State->Gpr[1], Is.EqualTo(0x5_FFFC));
        Assert.That(fixture.State->Gpr[3], Is.EqualTo(0x1122_3344));
        Assert.That(fixture.Read(0x10_FFFC, 4), Is.EqualTo(0x1122_3344));
        Assert.That(fixture.Read(0x10_0000, 2), Is.EqualTo(0x3344));
    }

    [Test]
    public void APushAcrossPagesChecksBothBeforeItWrites()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Write(VcpuFixture.Task + 0x24, 0x7_0000);
        fixture.SetGate(14, VcpuFixture.Handlers, VcpuFixture.Code64, stackTable: 1);
        fixture.Load(VcpuFixture.Handlers, 64, a => a.hlt());
        fixture.Memory.SetRights(0x10_1000, Prot.Read);
        fixture.Write(0x10_0FF8, 0x1111_2222_3333_4444);
        fixture.Run64(a =>
        {
            a.mov(rsp, 0x10_1004UL);
            a.push(-1);
        });
        Assert.That(fixture.State->Cr2, Is.EqualTo(0x10_1000));
        Assert.That(fixture.Read(0x10_0FF8), Is.EqualTo(0x1111_2222_3333_4444));
    }
}
