using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

public sealed class GuestTranslationTests
{
    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void OnlyWhatIsMappedForTheAccessTranslates(GuestFormat format)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, format.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20, Prot.ReadExecute);
        Assert.That(consumer.TryTranslate(new Gpa(0x1234), Prot.Read, out Hpa hpa), Is.False);
        Assert.That(hpa.Value, Is.Zero);
        consumer.Fault(0x1000, Prot.Read, out ulong page);
        Assert.That(consumer.TryTranslate(new Gpa(0x1234), Prot.Read, out hpa), Is.True);
        Assert.That(hpa.Value, Is.EqualTo(page + 0x234));
        Assert.That(guest.TryTranslate(new Gpa(0x1234), Prot.Execute, out _), Is.True);
        Assert.That(guest.TryTranslate(new Gpa(0x1234), Prot.Write, out _), Is.False);
        Assert.That(guest.TryTranslate(new Gpa(0x1234), Prot.None, out _), Is.True);
        Assert.That(guest.TryTranslate(new Gpa(ulong.MaxValue), Prot.None, out _), Is.False);
    }

    [TestCase(0x10000UL, 0x1000UL, Prot.Write, FaultStatus.Resolved)]
    [TestCase(0x10FFFUL, 2UL, Prot.Read, FaultStatus.Resolved)]
    [TestCase(0x10FFFUL, 2UL, Prot.Write, FaultStatus.Protection)]
    [TestCase(0x11FFFUL, 1UL, Prot.Read, FaultStatus.Resolved)]
    [TestCase(0x11FFFUL, 2UL, Prot.Read, FaultStatus.NoMapping)]
    [TestCase(0xFFFFUL, 2UL, Prot.Read, FaultStatus.NoMapping)]
    [TestCase(ulong.MaxValue, 2UL, Prot.Read, FaultStatus.NoMapping)]
    public void TheMapAnswersForARange(ulong gpa, ulong length, Prot access, FaultStatus expected)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0x10000), 0x1000);
        guest.MapMemory(new Gpa(0x11000), 0x1000, Prot.Read);
        Assert.That(GuestTranslation.Check(consumer.Consumer, gpa, length, access), Is.EqualTo(expected));
    }
}
