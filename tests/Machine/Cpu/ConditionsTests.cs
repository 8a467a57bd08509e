using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class ConditionsTests
{
    [Test]
    public void TruthTablesAgreeWithTheFlagsOfASubtraction()
    {
        var random = new SeededGenerator(61);
        VcpuState state = default;
        for (int i = 0; i < 2000; i++)
        {
            state.FlagKind = Flags.Sub64;
            state.FlagA = random.OneIn(2) ? random.Next() : random.Next() >> 62;
            state.FlagB = random.OneIn(2) ? random.Next() : random.Next() >> 62;
            for (int condition = 0; condition < 16; condition++)
            {
                int table = Conditions.Truth(condition);
                if (table < 0) continue;
                bool expected = (table >> Flags.CompareIndex(&state) & 1) != 0;
                Assert.That(Flags.Test(&state, condition), Is.EqualTo(expected), $"condition {condition}, {random}");
            }
        }
    }

    [TestCase(ConditionCode.o, 0, -1)]
    [TestCase(ConditionCode.b, 2, 2)]
    [TestCase(ConditionCode.e, 4, 0)]
    [TestCase(ConditionCode.a, 7, 5)]
    [TestCase(ConditionCode.s, 8, -1)]
    [TestCase(ConditionCode.np, 11, -1)]
    [TestCase(ConditionCode.ge, 13, 7)]
    [TestCase(ConditionCode.g, 15, 9)]
    public void EncodingsAndOrdersAreTheManuals(ConditionCode code, int encoding, int order)
    {
        Assert.That(Conditions.Encoding(code), Is.EqualTo(encoding));
        Assert.That(Conditions.Order(encoding), Is.EqualTo(order));
    }
}
