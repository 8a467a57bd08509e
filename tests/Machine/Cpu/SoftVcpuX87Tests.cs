using System;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>x87 against the host, whose precision control is set to double so that both compute alike.</summary>
public sealed unsafe class SoftVcpuX87Tests
{
    private const uint DoublePrecision = 0x027F;

    [Test]
    public void ArithmeticInDoublePrecisionAgreesWithTheHost()
    {
        var random = new SeededGenerator(101);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 150; i++)
        {
            difference.Check(a =>
            {
                Start(a);
                for (int load = 0; load < 4; load++) LoadNumber(a, random, load);
                for (int step = 0; step < 6; step++) Arithmetic(a, random);
                for (int store = 0; store < 4; store++) a.fstp(__qword_ptr[rsi + 64 + store * 8]);
            });
        }
    }

    [Test]
    public void IntegersAreStoredAsTheRoundingControlSays()
    {
        var random = new SeededGenerator(102);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 100; i++)
        {
            uint control = DoublePrecision | (uint)random.Below(4) << 10;
            difference.Check(a =>
            {
                a.fninit();
                a.mov(__dword_ptr[rsi], control);
                a.fldcw(__word_ptr[rsi]);
                LoadNumber(a, random, 1);
                a.fist(__word_ptr[rsi + 32]);
                a.fist(__dword_ptr[rsi + 40]);
                a.fld(st0);
                a.frndint();
                a.fstp(__qword_ptr[rsi + 48]);
                a.fistp(__qword_ptr[rsi + 56]);
                a.fnstcw(__word_ptr[rsi + 64]);
                // As large as a double holds exactly: the host would keep eleven bits more.
                a.sar(__qword_ptr[rsi + 72], 11);
                a.fild(__qword_ptr[rsi + 72]);
                a.fistp(__qword_ptr[rsi + 80]);
            }, Flags.Arithmetic);
        }
    }

    [Test]
    public void ComparisonsAgreeWithTheHost()
    {
        var random = new SeededGenerator(103);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 100; i++)
        {
            int kind = random.Below(7);
            difference.Check(a =>
            {
                Start(a);
                LoadNumber(a, random, 1);
                if (random.OneIn(4)) a.fld(st0);
                else LoadNumber(a, random, 2);
                switch (kind)
                {
                    case 0:
                        a.fcomi(st0, st1);
                        break;
                    case 1:
                        a.fucomip(st0, st1);
                        break;
                    case 2:
                        a.fcompp();
                        break;
                    case 3:
                        a.fucom(st0, st1);
                        break;
                    case 4:
                        a.ftst();
                        break;
                    case 5:
                        a.ficom(__dword_ptr[rsi + 200]);
                        break;
                    default:
                        a.fcomp(st0, st1);
                        break;
                }
                a.fnstsw(ax);
                a.and(eax, 0x4500);
                a.fninit();
            });
        }
    }

    [Test]
    public void StackAndConstantsAgreeWithTheHost()
    {
        var random = new SeededGenerator(104);
        using var difference = new HostDifference(random);
        difference.Check(a =>
        {
            Start(a);
            a.fldz();
            a.fld1();
            a.fchs();
            a.fld1();
            a.fadd(st0, st0);
            a.fxch(st0, st2);
            a.fabs();
            a.fxam();
            a.fnstsw(__word_ptr[rsi + 100]);
            a.and(__word_ptr[rsi + 100], 0x4700);
            a.fincstp();
            a.fdecstp();
            a.fcmove(st0, st1);
            a.fld(st1);
            a.fsqrt();
            a.ffree(st0);
            a.fincstp();
            a.fstp(__qword_ptr[rsi + 64]);
            a.fstp(__dword_ptr[rsi + 72]);
            a.fstp(st0);
            a.fninit();
        }, 0);
    }

    [Test]
    public void WithTheEmulationBitEveryInstructionIsRefused()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.State->Cr0 |= 4;
        fixture.HandleByStoring(7, 64);
        fixture.Run64(a => a.fld1());
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x1007));
    }

    [Test]
    public void TheWholeStateIsSavedAndRestored()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Run64(a =>
        {
            a.mov(esi, (int)VcpuFixture.Data);
            a.fninit();
            a.fld1();
            a.fldpi();
            a.fxsave(__[rsi]);
            a.fninit();
            a.fxrstor(__[rsi]);
            a.fstp(__qword_ptr[rsi + 0x800]);
            a.fstp(__qword_ptr[rsi + 0x808]);
        });
        Assert.That(BitConverter.UInt64BitsToDouble(fixture.Read(VcpuFixture.Data + 0x800)), Is.EqualTo(Math.PI));
        Assert.That(BitConverter.UInt64BitsToDouble(fixture.Read(VcpuFixture.Data + 0x808)), Is.EqualTo(1.0));
    }

    private static void Start(Assembler a)
    {
        a.fninit();
        a.mov(__dword_ptr[rsi], DoublePrecision);
        a.fldcw(__word_ptr[rsi]);
    }

    /// <summary>Loads a number of moderate size from an integer or a real that the code writes itself.</summary>
    private static void LoadNumber(Assembler a, SeededGenerator random, int slot)
    {
        int at = 200 + slot * 8;
        double value = random.Between(-100_000, 100_000) * Math.Pow(2, random.Between(-12, 12));
        switch (random.Below(4))
        {
            case 0:
                a.mov(__dword_ptr[rsi + at], random.Between(-5000, 5000));
                a.fild(__dword_ptr[rsi + at]);
                break;
            case 1:
                a.mov(__word_ptr[rsi + at], (short)random.Between(-5000, 5000));
                a.fild(__word_ptr[rsi + at]);
                break;
            case 2:
                a.mov(__dword_ptr[rsi + at], (int)BitConverter.SingleToUInt32Bits((float)value));
                a.fld(__dword_ptr[rsi + at]);
                break;
            default:
                a.mov(rax, BitConverter.DoubleToUInt64Bits(value));
                a.mov(__qword_ptr[rsi + at], rax);
                a.fld(__qword_ptr[rsi + at]);
                break;
        }
    }

    private static void Arithmetic(Assembler a, SeededGenerator random)
    {
        AssemblerRegisterST other = random.Pick<AssemblerRegisterST>([st1, st2, st3]);
        switch (random.Below(14))
        {
            case 0:
                a.fadd(st0, other);
                break;
            case 1:
                a.fsub(st0, other);
                break;
            case 2:
                a.fsubr(st0, other);
                break;
            case 3:
                a.fmul(st0, other);
                break;
            case 4:
                a.fadd(other, st0);
                break;
            case 5:
                a.fsub(other, st0);
                break;
            case 6:
                a.fsubr(other, st0);
                break;
            case 7:
                a.fxch(st0, other);
                break;
            case 8:
                a.fmul(other, st0);
                break;
            case 9:
                a.fchs();
                break;
            case 10:
                a.fimul(__word_ptr[rsi + 200]);
                break;
            case 11:
                a.fiadd(__dword_ptr[rsi + 208]);
                break;
            case 12:
                a.fld(st0);
                a.fdivp(other, st0);
                break;
            default:
                a.fdivr(st0, other);
                break;
        }
    }
}
