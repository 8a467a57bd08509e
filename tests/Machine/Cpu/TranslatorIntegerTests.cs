using Iced.Intel;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>The integer instructions that go to a call, in every encoding, against the host's processor.</summary>
public sealed class TranslatorIntegerTests
{
    private static readonly Mnemonic[] s_mnemonics =
    [
        Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Shld, Mnemonic.Shrd, Mnemonic.Bt, Mnemonic.Bts,
        Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Popcnt, Mnemonic.Lzcnt,
        Mnemonic.Imul, Mnemonic.Mul, Mnemonic.Xadd, Mnemonic.Cmpxchg, Mnemonic.Bswap, Mnemonic.Cbw, Mnemonic.Cwde,
        Mnemonic.Cdqe, Mnemonic.Cwd, Mnemonic.Cdq, Mnemonic.Cqo, Mnemonic.Lahf, Mnemonic.Sahf, Mnemonic.Clc,
        Mnemonic.Stc, Mnemonic.Cmc, Mnemonic.Cmpxchg8b,
    ];

    [Test]
    public void EveryEncodingDoesWhatTheHostDoes()
    {
        var random = new SeededGenerator(21);
        using var difference = new HostDifference(random);
        var generator = new InstructionGenerator(random, s_mnemonics);
        foreach (Code code in generator.Codes)
        {
            if (code == Code.Bswap_r16) continue;       // undefined
            for (int i = 0; i < 24; i++)
            {
                Instruction instruction = generator.Next(code);
                difference.Check([instruction], RandomCode.Positions(RandomCode.UndefinedBy(instruction)));
            }
        }
        Assert.That(generator.Codes, Has.Count.GreaterThan(80));
    }

    [Test]
    public void LockedFormsDoWhatTheHostDoes()
    {
        var random = new SeededGenerator(22);
        using var difference = new HostDifference(random);
        var generator = new InstructionGenerator(random, Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb,
            Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not,
            Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Xadd, Mnemonic.Cmpxchg, Mnemonic.Cmpxchg8b);
        int checkedCount = 0;
        for (int i = 0; i < 4000; i++)
        {
            Instruction instruction = generator.Next();
            if (instruction.Op0Kind != OpKind.Memory) continue;
            instruction.HasLockPrefix = true;
            difference.Check([instruction], RandomCode.Positions(RandomCode.UndefinedBy(instruction)));
            checkedCount++;
        }
        Assert.That(checkedCount, Is.GreaterThan(1000));
    }

    [Test]
    public void ComparingAndExchangingSixteenBytesWorksBothWays()
    {
        var random = new SeededGenerator(23);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 50; i++)
        {
            bool matches = i % 2 == 0;
            difference.Check(a =>
            {
                if (matches)
                {
                    a.mov(AssemblerRegisters.rax, AssemblerRegisters.__qword_ptr[AssemblerRegisters.rsi]);
                    a.mov(AssemblerRegisters.rdx, AssemblerRegisters.__qword_ptr[AssemblerRegisters.rsi + 8]);
                }
                a.@lock.cmpxchg16b(AssemblerRegisters.__[AssemblerRegisters.rsi]);
            });
        }
    }

    [Test]
    public void DivisionsDoWhatTheHostDoes()
    {
        var random = new SeededGenerator(24);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 2000; i++)
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
                        if (isSigned) a.idiv(AssemblerRegisters.bl);
                        else a.div(AssemblerRegisters.bl);
                        break;
                    case 1:
                        if (isSigned) a.idiv(AssemblerRegisters.bx);
                        else a.div(AssemblerRegisters.bx);
                        break;
                    case 2:
                        if (isSigned) a.idiv(AssemblerRegisters.ebx);
                        else a.div(AssemblerRegisters.ebx);
                        break;
                    default:
                        if (isSigned) a.idiv(AssemblerRegisters.rbx);
                        else a.div(AssemblerRegisters.rbx);
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
        for (int i = 0; i < 200; i++)
        {
            difference.Prepare = registers => registers.Values[3] = (ulong)-(long)(1 + random.Below(1000UL));
            difference.Check(a =>
            {
                a.sar(AssemblerRegisters.rax, 11);
                a.cqo();
                a.idiv(AssemblerRegisters.rbx);
                a.movsxd(AssemblerRegisters.rcx, AssemblerRegisters.eax);
                a.mov(AssemblerRegisters.eax, AssemblerRegisters.r8d);
                a.sar(AssemblerRegisters.eax, 11);
                a.cdq();
                a.idiv(AssemblerRegisters.ebx);
            }, 0x8D5);
        }
    }
}
