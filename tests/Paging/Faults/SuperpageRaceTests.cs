using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;
using Pagoda.Tlb;

namespace Pagoda.Tests.Faults;

/// <summary>
/// Two vCPUs with TLBs write and read every page of some windows, over and over, so that windows become superpages;
/// beside them one thread takes rights and mappings away, clears references, demotes and promotes, and one harvests
/// what was written and copies it. No write may be lost: not from memory, nor from what the harvests report.
/// </summary>
public sealed unsafe class SuperpageRaceTests
{
    private const int Windows = 2;
    private const int Pages = Windows * Paging.WindowPages;
    private const ulong MemoryBytes = Windows * Paging.WindowBytes;
    private const int Vcpus = 2;
    private const int SweepsMin = 150;
    private const int HarvestEvery = 8;
    private const int SweepsMax = 20_000;
    private const ulong PromotionsMin = 10;     // What the schedule must have given before a run counts.

    private readonly ulong[,] _written = new ulong[Vcpus, Pages];
    private Guest _guest = null!;
    private int _running;
    private int _sweeps;
    private Exception? _failure;

    [Test]
    public void NoWriteIsLostWhileSuperpagesComeAndGo(
        [ValueSource(typeof(GuestFormats), nameof(GuestFormats.All))] GuestFormat format,
        [Values] SuperpagePolicy policy)
    {
        const int Seed = 20_131_001;
        Array.Clear(_written);
        _failure = null;
        _running = Vcpus;
        using var arena = new Arena(new ArenaOptions { Bytes = 32 << 20 });
        using (_guest = new Guest(arena, format.Options() with { Policy = policy }))
        {
            _guest.MapMemory(new Gpa(0), MemoryBytes);
            var saved = new ulong[Vcpus, Pages];
            Thread[] threads =
            [
                new(() => Guarded(() => RunVcpu(0, Seed))), new(() => Guarded(() => RunVcpu(1, Seed + 1))),
                new(() => Guarded(() => RunTaker(Seed + 2))), new(() => Guarded(() => RunHarvester(saved))),
            ];
            foreach (Thread thread in threads) thread.Start();
            foreach (Thread thread in threads) thread.Join();
            Assert.That(_failure, Is.Null, $"{format} {policy}, seed {Seed}");

            GuestCounters counters = _guest.Counters;
            Assert.That(counters.Promotions, Is.GreaterThanOrEqualTo(PromotionsMin), $"{format} {policy}, seed {Seed}");
            Assert.That(counters.Demotions, Is.GreaterThan(0));
            _guest.Pmap.CheckConsistency();
            var last = new ulong[Pages / 64];
            _guest.HarvestModified(new Gpa(0), MemoryBytes, last);
            for (int page = 0; page < Pages; page++)
            {
                bool reported = (last[page >> 6] >> (page & 63) & 1) != 0;
                for (int vcpu = 0; vcpu < Vcpus; vcpu++)
                {
                    ulong word = ReadWord(page, vcpu);
                    Assert.That(word, Is.EqualTo(_written[vcpu, page]), $"page {page} of vCPU {vcpu}, seed {Seed}");
                    bool copied = word == saved[vcpu, page];
                    if (!reported && !copied) Assert.Fail($"a write to page {page} was not reported, seed {Seed}");
                }
            }
        }
        ArenaBalance.AssertWhole(arena);
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
        }
    }

    private void RunVcpu(int me, int seed)
    {
        try
        {
            using GuestConsumer consumer = _guest.AddConsumer();
            var vcpu = new Vcpu(_guest, consumer);
            var random = new Random(seed);
            for (int sweep = 0; sweep < SweepsMax && _failure is null; sweep++)
            {
                consumer.Exit();
                if (sweep >= SweepsMin && _guest.Counters.Promotions >= PromotionsMin) break;
                // Some sweeps only read, so that windows of pages that were not written are promoted too.
                bool reads = random.Next(4) == 0;
                Interlocked.Increment(ref _sweeps);
                int first = random.Next(Windows) * Paging.WindowPages;
                for (int i = 0; i < Paging.WindowPages; i++)
                {
                    int page = first + (me == 0 ? i : Paging.WindowPages - 1 - i);
                    ulong* word = vcpu.Translate(page, reads ? Prot.Read : Prot.Write);
                    if (word == null) continue;     // The taker has the rights at this moment.
                    ulong seen = Volatile.Read(ref word[me]);
                    if (seen != _written[me, page])
                        throw new InvalidOperationException($"page {page} has {seen}, not {_written[me, page]}");
                    if (!reads) Volatile.Write(ref word[me], ++_written[me, page]);
                }
            }
            consumer.Exit();
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private void RunTaker(int seed)
    {
        using GuestConsumer consumer = _guest.AddConsumer();
        var random = new Random(seed);
        var gather = new ShootdownGather(_guest.Space.Consumers, _guest.Space.Limbo);
        while (Volatile.Read(ref _running) != 0)
        {
            ulong gpa = (ulong)random.Next(Pages) * Paging.PageBytes;
            ulong length = ulong.Min((ulong)random.Next(1, 20) * Paging.PageBytes, MemoryBytes - gpa);
            switch (random.Next(5))
            {
                case 0:
                    _guest.Protect(new Gpa(gpa), length, random.Next(2) == 0 ? Prot.Read : Prot.None);
                    _guest.Protect(new Gpa(gpa), length, Prot.All);
                    break;
                case 1:
                    consumer.Consumer.TryEnter();
                    _guest.Pmap.Demote(gpa, consumer.Consumer.Frames, ref gather);
                    consumer.Consumer.Exit();
                    gather.Commit();
                    break;
                case 2:
                    consumer.Consumer.TryEnter();
                    _guest.Pmap.ClearReferenced(gpa, out _);
                    consumer.Consumer.Exit();
                    break;
                case 3:
                    consumer.Consumer.TryEnter();
                    _guest.Pmap.Remove(gpa, length, consumer.Consumer.Frames, ref gather);
                    consumer.Consumer.Exit();
                    gather.Commit();
                    break;
                default:
                    _guest.Write(new Gpa(gpa + Paging.PageBytes - 8), [1]);
                    break;
            }
            // Then it promotes what it can, for a while, as faults would.
            for (int i = random.Next(100); i > 0; i--)
            {
                ulong window = (ulong)random.Next(Windows) * Paging.WindowBytes;
                consumer.Consumer.TryEnter();
                _guest.Pmap.Promote(window, consumer.Consumer.Frames, ref gather);
                consumer.Consumer.Exit();
                gather.Commit();
                Thread.Yield();
            }
        }
    }

    private void RunHarvester(ulong[,] saved)
    {
        var bitmap = new ulong[Pages / 64];
        while (Volatile.Read(ref _running) != 0)
        {
            Array.Clear(bitmap);
            _guest.HarvestModified(new Gpa(0), MemoryBytes, bitmap);
            for (int page = 0; page < Pages; page++)
            {
                if ((bitmap[page >> 6] >> (page & 63) & 1) == 0) continue;
                for (int vcpu = 0; vcpu < Vcpus; vcpu++) saved[vcpu, page] = ReadWord(page, vcpu);
            }
            int next = Volatile.Read(ref _sweeps) + HarvestEvery;
            while (Volatile.Read(ref _sweeps) < next && Volatile.Read(ref _running) != 0) Thread.Yield();
        }
    }

    private ulong ReadWord(int page, int vcpu)
    {
        ulong word = 0;
        var gpa = new Gpa((ulong)page * Paging.PageBytes + (ulong)vcpu * sizeof(ulong));
        FaultStatus status;
        do status = _guest.Read(gpa, new Span<byte>(&word, sizeof(ulong)));
        while (status == FaultStatus.Protection);
        if (status != FaultStatus.Resolved) throw new InvalidOperationException("read: " + status);
        return word;
    }

    /// <summary>A TLB of one entry a page and right, emptied when the generation moves, as often as it polls.</summary>
    private sealed class Vcpu(Guest guest, GuestConsumer consumer)
    {
        private const int PollEvery = 7;
        private readonly ulong[] _readable = new ulong[Pages];
        private readonly ulong[] _writable = new ulong[Pages];
        private int _accesses;

        /// <summary>The page's words, to be used before the next call; null where the map does not allow it.</summary>
        public ulong* Translate(int page, Prot access)
        {
            if (consumer.IsInside && ++_accesses % PollEvery == 0 && consumer.Poll()) Flush();
            while (true)
            {
                if (!consumer.IsInside)
                {
                    consumer.Enter(out bool flush);
                    if (flush) Flush();
                }
                ulong[] tlb = access == Prot.Write ? _writable : _readable;
                if (tlb[page] != 0) return (ulong*)tlb[page];
                ulong gpa = (ulong)page * Paging.PageBytes;
                if (consumer.TryWalk(gpa, access, out ulong hpa, out Prot granted))
                {
                    ulong host = (ulong)guest.Arena.DirectMap(hpa);
                    if ((granted & Prot.Read) != 0) _readable[page] = host;
                    if ((granted & Prot.Write) != 0) _writable[page] = host;
                    return (ulong*)host;
                }
                FaultStatus status = consumer.Fault(gpa, access, out _);
                if (status == FaultStatus.Protection) return null;
                if (status > FaultStatus.Emulated) throw new InvalidOperationException("fault: " + status);
            }
        }

        private void Flush()
        {
            Array.Clear(_readable);
            Array.Clear(_writable);
            consumer.Acknowledge();
        }
    }
}
