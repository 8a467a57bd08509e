using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>
/// A seeded workload with less memory than the guest has, against a shadow of every byte: accesses, harvests, rights
/// and holds in any order.
/// </summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonWorkloadTests(GuestFormat format)
{
    private const ulong Pages = 768;
    private const int Operations = 60_000;

    private readonly byte[] _shadow = new byte[Pages * ReclaimFixture.PageBytes];
    private readonly bool[] _written = new bool[Pages];
    private readonly List<(GuestSpan Span, ulong Page)> _holds = [];

    [TestCase(540, TestName = "EveryByteIsRight at 1.5 times the memory")]
    [TestCase(216, TestName = "EveryByteIsRight at 4 times the memory")]
    public void EveryByteIsRight(int residentFrames)
    {
        var random = new SeededGenerator(0x5EED ^ (ulong)residentFrames);
        _shadow.AsSpan().Clear();
        _written.AsSpan().Clear();
        using var at = new ReclaimFixture(format, Pages, arenaFrames: 1024, (ulong)residentFrames);
        for (int i = 0; i < Operations; i++)
        {
            Operate(at, random);
            if (i % 20_000 == 0) CheckAll(at, random);
        }
        CheckAll(at, random);
        foreach ((GuestSpan span, ulong _) in _holds) at.Guest.Release([span]);
        _holds.Clear();
        at.Guest.Pmap.CheckConsistency();
        Assert.That(at.Guest.Counters.SwapIns, Is.GreaterThan(1000));
        Assert.That(at.Guest.Counters.SwapOuts, Is.GreaterThan(1000));
        Assert.That(at.Guest.Counters.CleanEvictions, Is.GreaterThan(100));
    }

    private void Operate(ReclaimFixture at, SeededGenerator random)
    {
        // Half of the accesses go to an eighth of the pages, as those of programs do.
        ulong page = random.OneIn(2) ? random.Below(Pages / 8) : random.Below(Pages);
        ulong offset = random.Below(ReclaimFixture.PageBytes);
        ulong index = page * ReclaimFixture.PageBytes + offset;
        switch (random.Below(1000))
        {
            case < 500:
                byte read = at.Vcpu.Read(ReclaimFixture.At(page, offset));
                Assert.That(read, Is.EqualTo(_shadow[index]), Where(page, random));
                break;
            case < 960:
                Write(at, page, offset, random);
                break;
            case < 970:
                HoldOrRelease(at, page, random);
                break;
            case < 976:
                Harvest(at, random);
                break;
            case < 990:
                at.Guest.Protect(new Gpa(ReclaimFixture.At(page)), ReclaimFixture.PageBytes,
                    random.Pick<Prot>([Prot.None, Prot.Read]));
                at.Guest.Protect(new Gpa(ReclaimFixture.At(page)), ReclaimFixture.PageBytes, Prot.All);
                break;
            default:
                at.Daemon.Reclaim(1 + random.Below(64));
                break;
        }
    }

    private void Write(ReclaimFixture at, ulong page, ulong offset, SeededGenerator random)
    {
        // Every eighth writes zeros, so that some pages become zero again.
        byte value = random.OneIn(8) ? (byte)0 : (byte)random.Next();
        at.Vcpu.Write(ReclaimFixture.At(page, offset), value);
        _shadow[page * ReclaimFixture.PageBytes + offset] = value;
        _written[page] = true;
    }

    private void HoldOrRelease(ReclaimFixture at, ulong page, SeededGenerator random)
    {
        if (_holds.Count >= 12)
        {
            int which = random.Below(_holds.Count);
            (GuestSpan span, ulong held) = _holds[which];
            span.Bytes[7] = (byte)random.Next();
            _shadow[held * ReclaimFixture.PageBytes + 7] = span.Bytes[7];
            _written[held] = true;
            at.Guest.Release([span]);
            _holds.RemoveAt(which);
            return;
        }
        var spans = new GuestSpan[1];
        FaultStatus status = at.Guest.Hold(new Gpa(ReclaimFixture.At(page)), ReclaimFixture.PageBytes, Prot.Write,
            spans, out _);
        Assert.That(status, Is.EqualTo(FaultStatus.Resolved), Where(page, random));
        _holds.Add((spans[0], page));
        _written[page] = true;
    }

    private void Harvest(ReclaimFixture at, SeededGenerator random)
    {
        var bitmap = new ulong[(Pages + 63) / 64];
        at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), Pages * ReclaimFixture.PageBytes, bitmap);
        for (ulong page = 0; page < Pages; page++)
        {
            bool reported = (bitmap[page >> 6] >> (int)(page & 63) & 1) != 0;
            Assert.That(reported || !_written[page], "not reported: " + Where(page, random));
            _written[page] = false;
        }
    }

    private void CheckAll(ReclaimFixture at, SeededGenerator random)
    {
        var bytes = new byte[ReclaimFixture.PageBytes];
        for (ulong page = 0; page < Pages; page++)
        {
            FaultStatus status = at.Guest.Read(new Gpa(ReclaimFixture.At(page)), bytes);
            Assert.That(status, Is.EqualTo(FaultStatus.Resolved), Where(page, random));
            ReadOnlySpan<byte> shadow = _shadow.AsSpan((int)(page * ReclaimFixture.PageBytes), bytes.Length);
            Assert.That(shadow.SequenceEqual(bytes), Where(page, random));
        }
    }

    private string Where(ulong page, SeededGenerator random) => format + ", page " + page + ", " + random;
}
