using Iced.Intel;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>String instructions, repeated and not, against the host and across pages.</summary>
public sealed unsafe class SoftVcpuStringTests
{
    [Test]
    public void EveryStringInstructionAgreesWithTheHost()
    {
        var random = new SeededGenerator(51);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 900; i++)
        {
            int operation = random.Below(20);
            int repeat = random.Below(3);
            bool isBackward = random.OneIn(3);
            long distance = random.OneIn(2) ? random.Between(-40, 40) : random.Between(-9000, 9000);
            difference.Prepare = registers =>
            {
                registers.Values[1] = (ulong)(random.OneIn(4) ? random.Between(0, 1500) : random.Between(0, 40));
                registers.Values[6] = difference.Data + 0x8000 + (ulong)random.Between(-300, 300);
                registers.Values[7] = registers.Values[6] + (ulong)distance;
            };
            difference.Check(a =>
            {
                if (isBackward) a.std();
                Emit(a, operation, repeat);
                a.cld();
            });
        }
    }

    [Test]
    public void ARepeatedStoreCountsAsOneInstruction()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        ulong before = fixture.Cpu.Instructions;
        fixture.Run64(a =>
        {
            a.mov(edi, 0x10_0000);
            a.mov(ecx, 0x1_0000);
            a.xor(eax, eax);
            a.rep.stosd();
        });
        Assert.That(fixture.Cpu.Instructions - before, Is.EqualTo(5));
        Assert.That(fixture.State->Gpr[7], Is.EqualTo(0x14_0000));
        Assert.That(fixture.State->Gpr[1], Is.Zero);
    }

    [Test]
    public void AFaultInTheMiddleLeavesTheRegistersWhereItStopped()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Memory.SetRights(0x10_2000, Prot.Read);
        fixture.HandleByStoring(14, 64);
        fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.mov(esi, 0x20_0010);
            a.mov(edi, 0x10_0FF8);
            a.mov(ecx, 0x1000);
            a.rep.movsq();
            a.hlt();
        });
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x100E));
        Assert.That(fixture.State->Cr2, Is.EqualTo(0x10_2000));
        Assert.That(fixture.State->Gpr[7], Is.EqualTo(0x10_2000));
        Assert.That(fixture.State->Gpr[6], Is.EqualTo(0x20_0010 + 0x1008));
        Assert.That(fixture.State->Gpr[1], Is.EqualTo(0x1000 - 0x1008 / 8));
        // The interrupted instruction's own address is on the stack: it goes on when the page is there.
        ulong rip = fixture.Read(fixture.State->Gpr[4] + 8);
        Assert.That(rip, Is.EqualTo(VcpuFixture.Code + 15));
    }

    [Test]
    public void AStopRequestIsSeenBetweenPages()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Memory.OnPoll = () =>
        {
            fixture.Cpu.RequestStop();
            fixture.Memory.OnPoll = null;
        };
        fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.mov(edi, 0x10_0000);
            a.mov(ecx, 0x10_000);
            a.rep.stosb();
            a.hlt();
        });
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Stopped));
        Assert.That(fixture.State->Gpr[1], Is.EqualTo(0xF000));
        Assert.That(fixture.Cpu.Run(1000), Is.EqualTo(VcpuExit.Halted));
        Assert.That(fixture.State->Gpr[1], Is.Zero);
        Assert.That(fixture.State->Gpr[7], Is.EqualTo(0x11_0000));
    }

    [Test]
    public void ThirtyTwoBitCountersWrapAtTheirOwnWidth()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Run64(a =>
        {
            a.mov(rcx, 0x7_0000_0002);
            a.mov(edi, 0x10_0000);
            a.mov(eax, 0x55);
            a.db(0xF3, 0x67, 0xAA);     // rep stosb with a 32-bit address
        });
        Assert.That(fixture.State->Gpr[1], Is.Zero);
        Assert.That(fixture.State->Gpr[7], Is.EqualTo(0x10_0002));
        Assert.That(fixture.Read(0x10_0000, 4), Is.EqualTo(0x5555));
    }

    private static void Emit(Assembler a, int operation, int repeat)
    {
        Assembler target = repeat == 0 ? a : repeat == 1 ? a.repe : a.repne;
        bool isComparison = operation >= 12;
        if (!isComparison && repeat == 2) target = a.rep;
        switch (operation)
        {
            case 0:
                target.movsb();
                break;
            case 1:
                target.movsw();
                break;
            case 2:
                target.movsd();
                break;
            case 3:
                target.movsq();
                break;
            case 4:
                target.stosb();
                break;
            case 5:
                target.stosw();
                break;
            case 6:
                target.stosd();
                break;
            case 7:
                target.stosq();
                break;
            case 8:
                target.lodsb();
                break;
            case 9:
                target.lodsw();
                break;
            case 10:
                target.lodsd();
                break;
            case 11:
                target.lodsq();
                break;
            case 12:
                target.cmpsb();
                break;
            case 13:
                target.cmpsw();
                break;
            case 14:
                target.cmpsd();
                break;
            case 15:
                target.cmpsq();
                break;
            case 16:
                target.scasb();
                break;
            case 17:
                target.scasw();
                break;
            case 18:
                target.scasd();
                break;
            default:
                target.scasq();
                break;
        }
    }
}
