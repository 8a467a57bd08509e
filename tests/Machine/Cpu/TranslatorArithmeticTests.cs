using Iced.Intel;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Two-operand arithmetic against the host's processor, one by one and in sequences.</summary>
public sealed class TranslatorArithmeticTests
{
    private static readonly Mnemonic[] s_arithmetic =
    [
        Mnemonic.Add, Mnemonic.Or, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Inc,
        Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not, Mnemonic.Shl, Mnemonic.Sal, Mnemonic.Shr, Mnemonic.Sar, Mnemonic.Rol,
        Mnemonic.Ror, Mnemonic.Imul,
    ];

    private static readonly Mnemonic[] s_everything =
    [
        .. s_arithmetic, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Movsxd,
        Mnemonic.Lea, Mnemonic.Xchg, Mnemonic.Cmova, Mnemonic.Cmovb, Mnemonic.Cmove, Mnemonic.Cmovle, Mnemonic.Cmovo,
        Mnemonic.Cmovs, Mnemonic.Seta, Mnemonic.Setbe, Mnemonic.Setl, Mnemonic.Setno, Mnemonic.Sets, Mnemonic.Setnp,
        Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Bt, Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Shld,
        Mnemonic.Shrd, Mnemonic.Xadd, Mnemonic.Cmpxchg, Mnemonic.Cmc, Mnemonic.Clc, Mnemonic.Stc, Mnemonic.Lahf,
        Mnemonic.Sahf, Mnemonic.Cdq, Mnemonic.Cqo, Mnemonic.Cwde, Mnemonic.Cdqe, Mnemonic.Cbw, Mnemonic.Cwd,
        Mnemonic.Mul, Mnemonic.Nop, Mnemonic.Push, Mnemonic.Popcnt,
    ];

    [Test]
    public void EveryEncodingDoesWhatTheHostDoes()
    {
        var random = new SeededGenerator(11);
        using var difference = new HostDifference(random);
        var generator = new InstructionGenerator(random, s_arithmetic);
        foreach (Code code in generator.Codes)
        {
            for (int i = 0; i < 10; i++)
            {
                Instruction instruction = generator.Next(code);
                difference.Check([instruction], RandomCode.Positions(RandomCode.UndefinedBy(instruction)));
            }
        }
        Assert.That(generator.Codes, Has.Count.GreaterThan(150));
    }

    [Test]
    public void SequencesOfArithmeticDoWhatTheHostDoes() => CheckSequences(12, s_arithmetic, 600);

    [Test]
    public void SequencesOfEverythingDoWhatTheHostDoes() => CheckSequences(13, s_everything, 1200);

    private static void CheckSequences(ulong seed, Mnemonic[] mnemonics, int count)
    {
        var random = new SeededGenerator(seed);
        using var difference = new HostDifference(random);
        var code = new RandomCode(random, new InstructionGenerator(random, mnemonics));
        for (int i = 0; i < count; i++)
        {
            Instruction[] sequence = code.Next(random.Between(2, 24), withBranches: true);
            difference.Check(sequence, code.Undefined);
        }
    }
}
