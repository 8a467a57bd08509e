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
            for (int i = 0; i < 10; i++)
            {
                Instruction instruction = generator.Next(code);
                difference.Check([instruction], RandomCode.Positions(RandomCode.UndefinedBy(instruction)));
            }
        }
        Assert.That(generator.Codes, Has.Count.GreaterThan(80));
    }
}
