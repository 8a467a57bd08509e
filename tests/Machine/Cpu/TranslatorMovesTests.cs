using System;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Moves, extensions, addresses, conditional moves and sets against the host's processor.</summary>
public sealed class TranslatorMovesTests
{
    private static readonly Mnemonic[] s_mnemonics =
    [
        Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Movsxd, Mnemonic.Lea, Mnemonic.Xchg, Mnemonic.Nop,
        Mnemonic.Cmova, Mnemonic.Cmovae, Mnemonic.Cmovb, Mnemonic.Cmovbe, Mnemonic.Cmove, Mnemonic.Cmovg,
        Mnemonic.Cmovge, Mnemonic.Cmovl, Mnemonic.Cmovle, Mnemonic.Cmovne, Mnemonic.Cmovno, Mnemonic.Cmovnp,
        Mnemonic.Cmovns, Mnemonic.Cmovo, Mnemonic.Cmovp, Mnemonic.Cmovs, Mnemonic.Seta, Mnemonic.Setae,
        Mnemonic.Setb, Mnemonic.Setbe, Mnemonic.Sete, Mnemonic.Setg, Mnemonic.Setge, Mnemonic.Setl, Mnemonic.Setle,
        Mnemonic.Setne, Mnemonic.Setno, Mnemonic.Setnp, Mnemonic.Setns, Mnemonic.Seto, Mnemonic.Setp, Mnemonic.Sets,
        Mnemonic.Movnti,
    ];

    [Test]
    public void EveryEncodingDoesWhatTheHostDoes()
    {
        var random = new SeededGenerator(31);
        using var difference = new HostDifference(random);
        var generator = new InstructionGenerator(random, s_mnemonics);
        foreach (Code code in generator.Codes)
        {
            for (int i = 0; i < 8; i++) difference.Check([generator.Next(code)]);
        }
        Assert.That(generator.Codes, Has.Count.GreaterThan(80));
    }

    [Test]
    public void ConditionsAfterEveryKindOfFlagsAgreeWithTheHost()
    {
        var random = new SeededGenerator(32);
        using var difference = new HostDifference(random);
        var flags = new InstructionGenerator(random, Mnemonic.Cmp, Mnemonic.Add, Mnemonic.Sub, Mnemonic.Inc,
            Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.Cmc);
        var conditions = new InstructionGenerator(random, s_mnemonics.AsSpan(7, 32));
        for (int i = 0; i < 1000; i++)
        {
            difference.Check([flags.Next(), conditions.Next(), conditions.Next(), conditions.Next()]);
        }
    }
}
