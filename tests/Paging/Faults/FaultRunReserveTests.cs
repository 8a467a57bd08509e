using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunReserveTests
{
    private const ulong Window = Paging.WindowBytes;

    private static ulong Touch(GuestConsumer consumer, ulong gpa)
    {
        Assert.That(consumer.Fault(gpa, Prot.Write, out ulong hpa), Is.EqualTo(FaultStatus.Resolved));
        return hpa;
    }

    [Test]
    public void PagesOfAWindowLieInOneRunInWhateverOrderTheyAreTouched()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var guest = new Guest(arena, new GuestOptions()))
        {
            guest.MapMemory(new Gpa(0x10_0000), 6 << 20);
            using GuestConsumer consumer = guest.AddConsumer();
            ulong run = Touch(consumer, Window + 0x5000) - 0x5000;
            Assert.That(run % Window, Is.Zero);
            Assert.That(Touch(consumer, Window + 0x1F_F000), Is.EqualTo(run + 0x1F_F000));
            Assert.That(Touch(consumer, Window), Is.EqualTo(run));
            Assert.That(arena.Reservations.Active, Is.EqualTo(1));
            // The first window is only half in the mapping.
            Touch(consumer, 0x10_0000);
            Assert.That(arena.Reservations.Active, Is.EqualTo(1));
            guest.Unmap(new Gpa(Window), Window);
            Assert.That(arena.Reservations.Active, Is.Zero);
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void WithoutSuperpagesNothingIsSetAside()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, new GuestOptions { Superpages = false });
        guest.MapMemory(new Gpa(0), Window);
        using GuestConsumer consumer = guest.AddConsumer();
        for (ulong gpa = 0; gpa < Window; gpa += 0x1000) Touch(consumer, gpa);
        Assert.That(arena.Reservations.Made, Is.Zero);
        Assert.That(guest.Counters.Promotions, Is.Zero);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void UnderPressureOtherPagesGetWhatNobodyTook(bool hardwareAd)
    {
        // 6 MiB: two runs at most, and single frames for the rest.
        using var arena = new Arena(new ArenaOptions { Bytes = 6 << 20 });
        using (var guest = new Guest(arena, new GuestOptions { HardwareAd = hardwareAd }))
        {
            guest.MapMemory(new Gpa(0), 64 << 20);
            using GuestConsumer consumer = guest.AddConsumer();
            int touched = 0;
            ulong page = 0;
            while (consumer.Fault((page * 0x11_3000) & ((64 << 20) - 1), Prot.Write, out _) != FaultStatus.OutOfMemory)
            {
                page++;
                touched++;
            }
            guest.Pmap.CheckConsistency();
            Assert.That(arena.Reservations.Active, Is.Zero);
            Assert.That(arena.Reservations.Broken, Is.GreaterThan(0));
            Assert.That(touched, Is.GreaterThan(1000));
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public unsafe void APageKnownToBeZeroIsNewsToItsPagerInARunToo()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var memory = new VmObject(arena, Window, new MemoryPager()))
        using (var guest = new Guest(arena, new GuestOptions()))
        {
            guest.MapObject(new Gpa(0), memory, 0, Window);
            using GuestConsumer consumer = guest.AddConsumer();
            Assert.That(consumer.Consumer.TryEnter(), Is.True);
            *memory.MakeWord(5, consumer.Consumer.Frames) = (ulong)PageState.Zero;
            consumer.Consumer.Exit();
            Assert.That(consumer.Fault(0x5000, Prot.Read, out ulong hpa), Is.EqualTo(FaultStatus.Resolved));
            Assert.That(arena.Reservations.Active, Is.EqualTo(1), "it lies in a run");
            Assert.That(arena.Frames.IsDirty((uint)(hpa >> Paging.PageShift)), Is.True);
        }
        ArenaBalance.AssertWhole(arena);
    }
}
