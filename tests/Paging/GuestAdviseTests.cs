using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.GuestAccess;
using Pagoda.Tests.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed class GuestAdviseTests
{
    private const ulong Page = ReclaimFixture.PageBytes;

    [Test]
    public void ARangeThatIsNoneIsRefusedBeforeAnythingIsDone()
    {
        using var at = new ReclaimFixture(GuestFormat.Ept, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(0), 1);
        GpaRange[] ranges = [new(new Gpa(ReclaimFixture.At(0)), Page), new(new Gpa(1), Page)];
        Assert.That(() => at.Guest.Advise(ranges, Advice.Discard), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(MapError.Unaligned).And.Message.Contain("advised"));
        Assert.That(() => at.Guest.Advise(new Gpa(0), 0, Advice.Cold), Throws.TypeOf<MapException>());
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(0)), Is.EqualTo(1));
        Assert.That(at.Guest.Advise([], Advice.Discard).Pages, Is.Zero);
    }

    [Test]
    public void AHugeSparseGuestIsAdvisedAtTheCostOfWhatIsThere()
    {
        using var at = new ReclaimFixture(GuestFormat.Ept, pages: 8);
        at.Guest.MapMemory(new Gpa(1UL << 40), 1UL << 40);
        at.Vcpu.Write((1UL << 40) + (1UL << 39), 1);
        Assert.That(at.Guest.Advise(Advice.Cold).Pages, Is.EqualTo(1));
        Assert.That(at.Guest.Advise(Advice.WillNeed).Pages, Is.Zero);
        Assert.That(at.Guest.Advise(Advice.Discard).Pages, Is.EqualTo(1));
    }

    [Test]
    public void NothingIsAllocated()
    {
        using var at = new ReclaimFixture(GuestFormat.Ept, pages: 64);
        GpaRange[] ranges = [new(new Gpa(ReclaimFixture.At(0)), 8 * Page), new(new Gpa(ReclaimFixture.At(9)), Page)];
        void Round()
        {
            foreach (Advice advice in (ReadOnlySpan<Advice>)[Advice.Populate, Advice.Cold, Advice.WillNeed])
            {
                at.Guest.Advise(ranges, advice);
            }
            at.Guest.Advise(Advice.Discard);
        }
        Round();
        Assert.That(Allocations.Of(Round), Is.Zero);
    }
}
