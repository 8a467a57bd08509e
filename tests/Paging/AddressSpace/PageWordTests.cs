using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class PageWordTests
{
    private const ulong Frame = 0x1234_5000;

    // What may follow what, as sentences say it; PageWord has it as bits.
    private static readonly (PageState Before, PageState[] After)[] s_transitions =
    [
        (PageState.Absent, [PageState.Busy, PageState.Resident]),
        (PageState.Zero, [PageState.Absent, PageState.Busy, PageState.Resident]),
        (PageState.Busy, [PageState.Absent, PageState.Zero, PageState.Resident, PageState.Swapped, PageState.Poisoned]),
        (PageState.Resident, [PageState.Absent, PageState.Busy, PageState.Evicting, PageState.Laundering]),
        (PageState.Swapped, [PageState.Absent, PageState.Busy]),
        (PageState.Evicting,
            [PageState.Absent, PageState.Zero, PageState.Resident, PageState.Swapped, PageState.Poisoned]),
        (PageState.Laundering, [PageState.Absent, PageState.Resident, PageState.Poisoned]),
        (PageState.Poisoned, [PageState.Absent]),
    ];

    [Test]
    public void TheTableOfTransitionsIsWhole()
    {
        foreach ((PageState before, PageState[] after) in s_transitions)
        {
            foreach (PageState next in Enum.GetValues<PageState>())
            {
                Assert.That(PageWord.MayFollow(before, next), Is.EqualTo(Array.IndexOf(after, next) >= 0),
                    before + " to " + next);
            }
        }
        Assert.That(PageWord.MayFollow((PageState)8, PageState.Absent), Is.False);
        Assert.That(PageWord.MayFollow(PageState.Absent, (PageState)8), Is.False);
    }

    [Test]
    public void AZeroedWordIsAbsent() => Assert.That(PageWord.StateOf(0), Is.EqualTo(PageState.Absent));

    [Test]
    public void AClaimRemembersWhatItWasMadeFrom()
    {
        ulong swapped = PageWord.Of(PageState.Swapped, 77);
        ulong busy = PageWord.Claimed(swapped | PageWord.Wait);
        Assert.That(PageWord.StateOf(busy), Is.EqualTo(PageState.Busy));
        Assert.That(PageWord.BeforeOf(busy), Is.EqualTo(PageState.Swapped));
        Assert.That(PageWord.PayloadOf(busy), Is.EqualTo(77));
        Assert.That(PageWord.Unclaimed(busy | PageWord.Wait | PageWord.Rescued), Is.EqualTo(swapped));
        Assert.That(PageWord.Unclaimed(PageWord.Claimed(0)), Is.Zero);
    }

    [Test]
    public void AResidentWordHoldsItsFrame()
    {
        ulong word = PageWord.Resident(Frame);
        Assert.That(PageWord.StateOf(word), Is.EqualTo(PageState.Resident));
        Assert.That(PageWord.HpaOf(word | PageWord.Rescued | PageWord.Wait), Is.EqualTo(Frame));
    }

    [Test]
    public void AMoveNeedsTheWordThatWasSeen()
    {
        ulong word = 0;
        Assert.That(PageWord.TryMove(&word, 0, PageWord.Claimed(0)), Is.True);
        Assert.That(PageWord.TryMove(&word, 0, PageWord.Resident(Frame)), Is.False);
        Assert.That(PageWord.StateOf(word), Is.EqualTo(PageState.Busy));
    }

    [Test]
    public void PublishingSaysWhetherSomebodyWaits()
    {
        ulong word = PageWord.Claimed(0);
        Assert.That(PageWord.TryMark(&word, word, PageWord.Wait), Is.True);
        Assert.That(PageWord.TryMark(&word, word, PageWord.Wait), Is.True, "it is there already");
        Assert.That(PageWord.Publish(&word, PageWord.Resident(Frame)), Is.True);
        Assert.That(word, Is.EqualTo(PageWord.Resident(Frame)), "the mark is gone");
        ulong quiet = PageWord.Claimed(0);
        Assert.That(PageWord.Publish(&quiet, 0), Is.False);
    }

    [Test]
    public void ASleeperWakesWhenThePageIsPublished()
    {
        using var cell = new GuardedRegion(sizeof(ulong));
        ulong* word = (ulong*)cell.Base;
        ulong busy = PageWord.Claimed(0);
        *word = busy;
        Assert.That(PageWord.TryMark(word, busy, PageWord.Wait), Is.True);
        var sleeper = new Thread(() =>
        {
            while (PageWord.StateOf(Shared.Load(word)) == PageState.Busy) PageWord.Sleep(word, busy);
        });
        sleeper.Start();
        Assert.That(PageWord.Publish(word, PageWord.Resident(Frame)), Is.True);
        sleeper.Join();
        Assert.That(PageWord.StateOf(*word), Is.EqualTo(PageState.Resident));
    }

    [Test]
    public void AnOwnershipThatEndsByCompareAndSwapWakesToo()
    {
        ulong word = PageWord.Evicting(Frame);
        ulong seen = word;
        ulong swapped = PageWord.Of(PageState.Swapped, 0);
        Assert.That(PageWord.TryMark(&word, seen, PageWord.Wait), Is.True);
        Assert.That(PageWord.TryPublish(&word, seen, swapped), Is.False, "the mark came");
        Assert.That(PageWord.TryPublish(&word, seen | PageWord.Wait, swapped), Is.True);
        Assert.That(word, Is.EqualTo(swapped));
    }

    [Test]
    public void AMarkNeedsTheWordThatWasSeen()
    {
        ulong word = PageWord.Resident(Frame);
        Assert.That(PageWord.TryMark(&word, PageWord.Claimed(0), PageWord.Wait), Is.False);
        Assert.That(word, Is.EqualTo(PageWord.Resident(Frame)));
    }

    [Test]
    public void AnImpossiblePublicationIsADefect()
    {
        using var cell = new GuardedRegion(sizeof(ulong));
        ulong* word = (ulong*)cell.Base;
        *word = PageWord.Resident(Frame);
        Assert.That(() => PageWord.Publish(word, PageWord.Of(PageState.Swapped, 1)),
            Throws.TypeOf<InvariantException>());
    }
}
