using NUnit.Framework;
using Pagoda.Faults;
using Pagoda.Machine;

namespace Pagoda.Tests.Machine;

public sealed class MemoryBudgetWordsTests
{
    [Test]
    public void SensibleSizesPass()
    {
        MemoryBudget.RequireSense(SuperpagePolicy.Superpage, superpages: true);
        MemoryBudget.RequireSense(SuperpagePolicy.Fixed, superpages: false);
        MemoryBudget.RequireSense(1 << 20, 0, 0x10000, null);
        MemoryBudget.RequireSense(1 << 20, 1 << 20, 0x10000, "swap");
        MemoryBudget.RequireSense(1 << 20, 0x10000, 0x10000, "swap");
    }

    [TestCase(FaultStatus.Poisoned, "machine check: the page at GPA 0x5000 was lost")]
    [TestCase(FaultStatus.PagerError, "machine check: the page at GPA 0x5000 was lost")]
    [TestCase(FaultStatus.OutOfMemory, "memory could not be supplied at GPA 0x5000: the arena is used up")]
    [TestCase(FaultStatus.Protection, "memory could not be supplied at GPA 0x5000 (Protection)")]
    public void EveryFailureHasItsSentence(FaultStatus status, string words) =>
        Assert.That(MemoryBudget.Explain(null, status, 0x5000), Does.StartWith(words));
}
