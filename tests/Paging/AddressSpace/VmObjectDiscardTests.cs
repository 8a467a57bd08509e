using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Tests.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

/// <summary>The two passes, state by state.</summary>
public sealed unsafe class VmObjectDiscardTests
{
    [Test]
    public void ResidentPagesAreClaimedAndOthersLoseTheirContentAtOnce()
    {
        using var at = new ReclaimFixture(GuestFormat.Ept, pages: 8);
        for (ulong page = 0; page < 6; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Daemon.Reclaim(6);
        at.Pager.BadReads.Add(1);
        at.Vcpu.TryAccess(ReclaimFixture.At(1), Prot.Read, out _);
        for (ulong page = 2; page < 6; page++) at.Vcpu.Read(ReclaimFixture.At(page));
        ulong dropped = 0;

        Assert.That(at.Memory.ClaimForDiscard(0, 8, ref dropped), Is.True);

        Assert.That(dropped, Is.EqualTo(6));
        PageState[] states = [PageState.Absent, PageState.Absent, PageState.Busy, PageState.Busy];
        for (ulong page = 0; page < 4; page++) Assert.That(State(at, page), Is.EqualTo(states[page]), "page " + page);
        Assert.That(at.Pager.Stored, Is.EqualTo(4));
        Assert.That(at.Memory.ClaimForDiscard(3, 2, ref dropped), Is.True, "a range that overlaps");
        Assert.That(dropped, Is.EqualTo(6));
        at.Memory.KeepClaimed(0, 8);
        at.Pager.BadReads.Clear();
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(2)), Is.EqualTo(3));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(0)), Is.Zero);
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(1)), Is.Zero, "a lost page is whole again");
    }

    [Test]
    public void NothingIsClaimedOfWhatWasNeverTouched()
    {
        using var at = new ReclaimFixture(GuestFormat.Ept, pages: 2048);
        at.Vcpu.Read(ReclaimFixture.At(1000));
        ulong dropped = 0;
        Assert.That(at.Memory.ClaimForDiscard(0, 1000, ref dropped), Is.False);
        Assert.That(at.Memory.ClaimForDiscard(1001, 1047, ref dropped), Is.False);
        Assert.That(dropped, Is.Zero);
    }

    [Test]
    public void AWiredFrameIsFound()
    {
        using var at = new ReclaimFixture(GuestFormat.Ept, pages: 8);
        at.Guest.Wire(new Gpa(ReclaimFixture.At(5)), ReclaimFixture.PageBytes);
        Assert.That(at.Memory.TryFindWired(0, 8, out ulong wired), Is.True);
        Assert.That(wired, Is.EqualTo(5));
        Assert.That(at.Memory.TryFindWired(0, 5, out _), Is.False);
    }

    private static PageState State(ReclaimFixture at, ulong page) => PageWord.StateOf(*at.Memory.FindWord(page));
}
