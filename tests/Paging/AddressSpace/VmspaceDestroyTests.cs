using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmspaceDestroyTests
{
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });

    [TearDown]
    public void TearDown() => _arena.Dispose();

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void DestroySucceedsUnderHoldsAndTheirFramesLiveUntilTheRelease(GuestFormat format)
    {
        var guest = new Guest(_arena, format.Options());
        GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        guest.Write(new Gpa(0x1FFE), [1, 2, 3, 4]);
        var spans = new GuestSpan[2];
        guest.Hold(new Gpa(0x1FFE), 4, Prot.ReadWrite, spans, out int count);
        nint[] pointers = new nint[3];
        var status = new FaultStatus[3];
        ulong[] gpas = [0x1000, 0x8000, 0x1005];
        Assert.That(consumer.HoldBatch(gpas, Prot.Read, pointers, status), Is.EqualTo(3));
        guest.Dispose();
        consumer.Dispose();
        Assert.That(ArenaBalance.Of(_arena), Is.EqualTo(_arena.FrameCount - 1 - 3), "two pages, and the third");
        int at = 1;
        for (int i = 0; i < count; i++)
        {
            foreach (byte value in spans[i].Bytes) Assert.That(value, Is.EqualTo(at++));
        }
        guest.Release(spans.AsSpan(0, count));
        Assert.That(ArenaBalance.Of(_arena), Is.EqualTo(_arena.FrameCount - 1 - 2));
        guest.ReleaseBatch(pointers, Prot.Read);
        ArenaBalance.AssertWhole(_arena);
    }

    [Test]
    public void DestroyWaitsForAConsumerThatPolls()
    {
        var guest = new Guest(_arena, new GuestOptions());
        GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        consumer.Fault(0, Prot.Write, out _);
        Assert.That(consumer.Enter(out bool flush), Is.True);
        if (flush) consumer.Acknowledge();
        var destroyer = new Thread(guest.Dispose);
        destroyer.Start();
        var wait = default(Wait);
        while (!consumer.Poll()) wait.Step();
        Assert.That(consumer.IsDestroyed, Is.True);
        Assert.That(guest.Pmap.TryExtract(0, Prot.Read, out _), Is.True, "nothing goes under an active consumer");
        consumer.Exit();
        destroyer.Join();
        consumer.Dispose();
        ArenaBalance.AssertWhole(_arena);
    }

    [Test]
    public void DestroyWaitsForAFaultThatItsPagerKeeps()
    {
        var guest = new Guest(_arena, new GuestOptions());
        GuestConsumer consumer = guest.AddConsumer();
        using var reading = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        guest.MapRom(new Gpa(0), 0x1000, new GatePager(reading, go));
        FaultStatus status = default;
        var faulter = new Thread(() => status = consumer.Fault(0, Prot.Read, out _));
        faulter.Start();
        reading.Wait();
        var destroyer = new Thread(guest.Dispose);
        destroyer.Start();
        while (!consumer.IsDestroyed) Thread.Yield();
        Assert.That(destroyer.IsAlive, Is.True);
        go.Set();
        faulter.Join();
        destroyer.Join();
        Assert.That(status, Is.EqualTo(FaultStatus.Destroyed));
        consumer.Dispose();
        ArenaBalance.AssertWhole(_arena);
    }

    [Test]
    public void ASharedObjectLosesNothingWhenOneOfItsGuestsGoes()
    {
        using var memory = new VmObject(_arena, 1 << 20);
        var one = new Guest(_arena, new GuestOptions());
        using var two = new Guest(_arena, new GuestOptions());
        one.MapObject(new Gpa(0), memory, 0, 1 << 20);
        two.MapObject(new Gpa(0), memory, 0, 1 << 20);
        using (var vcpu = new TestVcpu(one)) vcpu.Write(0x7000, 9);
        one.Dispose();
        using var other = new TestVcpu(two);
        Assert.That(other.Read(0x7000), Is.EqualTo(9));
        ulong[] bitmap = new ulong[4];
        Assert.That(two.HarvestModified(new Gpa(0), 1 << 20, bitmap), Is.EqualTo(1), "its mark moved to the frame");
    }

    [Test]
    public void ConsumersAreDisposedWhileTheirGuestIs()
    {
        const int Rounds = 300;
        for (int round = 0; round < Rounds; round++)
        {
            var guest = new Guest(_arena, new GuestOptions());
            guest.MapMemory(new Gpa(0), 1 << 20);
            var threads = new Thread[4];
            for (int i = 0; i < threads.Length; i++)
            {
                GuestConsumer consumer = guest.AddConsumer();
                consumer.Fault((ulong)i << 12, Prot.Write, out _);
                threads[i] = new Thread(() =>
                {
                    while (!consumer.IsDestroyed) Thread.Yield();
                    consumer.Dispose();
                });
                threads[i].Start();
            }
            guest.Dispose();
            foreach (Thread thread in threads) thread.Join();
            ArenaBalance.AssertWhole(_arena);
        }
    }

    private sealed class GatePager(ManualResetEventSlim reading, ManualResetEventSlim go) : IPager
    {
        public void Read(in PagerBatch batch)
        {
            reading.Set();
            go.Wait();
            batch.Status.Fill(PagerStatus.Zero);
        }

        public void Write(in PagerBatch batch)
        {
        }

        public void Discard(ReadOnlySpan<ulong> pages)
        {
        }
    }
}
