using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TracePagesTests
{
    [Test]
    public void PagesAreGivenInTheOrderOfTheirFirstTouch()
    {
        const uint Pages = 5000;
        var random = new SeededGenerator(11);
        var model = new Dictionary<ulong, uint>();
        using var pages = new TracePages(Pages);
        for (int i = 0; i < 50_000; i++)
        {
            ulong page = random.OneIn(2) ? random.Below(8000UL) : 0xF_FFFF_FFFF_FFFF - random.Below(8000UL);
            bool isKnown = model.TryGetValue(page, out uint expected);
            if (!isKnown) expected = (uint)model.Count;
            bool found = pages.TryFold(page, out uint number);
            Assert.That(found, Is.EqualTo(isKnown || model.Count < Pages));
            if (!found) continue;
            Assert.That(number, Is.EqualTo(expected));
            model[page] = number;
        }
        Assert.That(pages.Count, Is.EqualTo(Pages));
    }
}
