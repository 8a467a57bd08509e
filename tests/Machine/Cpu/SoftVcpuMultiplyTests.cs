using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Divisions against the host, and their faults.</summary>
public sealed unsafe class SoftVcpuMultiplyTests
{
    [Test]
    public void DivisionsDoWhatTheHostDoes()
    {
        var random = new SeededGenerator(24);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 400; i++)
        {
            int width = random.Below(4);
            bool isSigned = random.OneIn(2);
            difference.Prepare = registers =>
            {
                // Upper half below a quarter of the divisor: no quotient overflows, signed or not.
                ulong divisor = 4 + random.Below(width == 3 ? ulong.MaxValue >> 2 : (1UL << (8 << width) - 2) - 4);
                registers.Values[3] = divisor;
                registers.Values[2] = width == 0 ? registers.Values[2] : random.Below(divisor / 4 + 1);
                if (width != 0) return;
                ulong high = random.Below(divisor / 4 + 1) << 8;
                registers.Values[0] = registers.Values[0] & ~0xFF00UL | high;
            };
            difference.Check(a =>
            {
                switch (width)
                {
                    case 0:
                        if (isSigned) a.idiv(bl);
                        else a.div(bl);
                        break;
                    case 1:
                        if (isSigned) a.idiv(bx);
                        else a.div(bx);
                        break;
                    case 2:
                        if (isSigned) a.idiv(ebx);
                        else a.div(ebx);
                        break;
                    default:
                        if (isSigned) a.idiv(rbx);
                        else a.div(rbx);
                        break;
                }
            }, 0x8D5);
        }
    }

    [Test]
    public void SignedDivisionOfNegativesRoundsTowardsZero()
    {
        var random = new SeededGenerator(25);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 50; i++)
        {
            difference.Prepare = registers => registers.Values[3] = (ulong)-(long)(1 + random.Below(1000UL));
            difference.Check(a =>
            {
                a.sar(rax, 11);
                a.cqo();
                a.idiv(rbx);
                a.movsxd(rcx, eax);
                a.mov(eax, r8d);
                a.sar(eax, 11);
                a.cdq();
                a.idiv(ebx);
            }, 0x8D5);
        }
    }

    [TestCase(1UL, 0UL)]
    [TestCase(5UL, 5UL)]
    [TestCase(ulong.MaxValue, 1UL)]
    public void AQuotientThatDoesNotFitIsADivideError(ulong high, ulong divisor)
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(0, 64);
        fixture.Run64(a =>
        {
            a.mov(rdx, high);
            a.mov(rax, 7UL);
            a.mov(rcx, divisor);
            a.div(rcx);
        });
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x1000));
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(7));
        Assert.That(fixture.State->Gpr[2], Is.EqualTo(high));
    }

    [Test]
    public void TheMostNegativeNumberByMinusOneIsADivideError()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(0, 64);
        fixture.Run64(a =>
        {
            a.mov(eax, 0x8000_0000);
            a.cdq();
            a.mov(ecx, -1);
            a.idiv(ecx);
        });
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x1000));
    }
}
