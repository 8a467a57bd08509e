using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>The operations.</summary>
internal sealed unsafe partial class SwapModel
{
    private readonly HashSet<(byte[] Shadow, int At)> _lost = [];

    /// <summary>Where a page of the model is, and the shadow's bytes.</summary>
    private readonly record struct Place(int Guest, ulong Gpa, byte[] Shadow, int At, bool[]? Written, int Page)
    {
        public Span<byte> Bytes => Shadow.AsSpan(At, (int)PageBytes);
    }

    private Place RandomPlace()
    {
        if (_random.OneIn(3))
        {
            (int guest, ulong gpa) = _random.Pick<(int, ulong)>(s_places);
            return SharedAt(guest, gpa, _random.Below(SharedPages));
        }
        // Half of the accesses go to an eighth of the pages, as those of programs do.
        return PrivateAt(_random.Below(Guests), _random.Below(_random.OneIn(2) ? PrivatePages / 8 : PrivatePages));
    }

    private Place SharedAt(int guest, ulong gpa, ulong page) =>
        new(guest, gpa + page * PageBytes, _sharedBytes, (int)(page * PageBytes), null, (int)page);

    private Place PrivateAt(int guest, ulong page) => new(guest, PrivateStart + page * PageBytes, _privateBytes[guest],
        (int)(page * PageBytes), _privateWritten[guest], (int)page);

    private void Operate()
    {
        switch (_random.Below(1000))
        {
            case < 420: Read(RandomPlace()); break;
            case < 900: Write(RandomPlace()); break;
            case < 915: Fill(RandomPlace()); break;
            case < 940: HoldOrRelease(); break;
            case < 950: Harvest(_random.Below(Guests)); break;
            case < 965: ProtectAndBack(RandomPlace()); break;
            case < 975: Daemon.Reclaim(1 + _random.Below(80)); break;
            case < 982: Daemon.Step(); break;
            case < 987: Daemon.Age(); break;
            case < 990: Daemon.Launder(64); break;
            case < 994: Discard(); break;
            default: FaultBatch(_random.Below(Guests)); break;
        }
    }

    /// <summary>Did an access end without its page? Then it must be for a reason.</summary>
    private bool IsRefused(in Place place, FaultStatus status)
    {
        bool wasLost = _lost.Contains((place.Shadow, place.At));
        bool isKnown = wasLost == (status == FaultStatus.Poisoned) || status == FaultStatus.OutOfMemory;
        Assert.That(isKnown, status + "; " + Where);
        if (status == FaultStatus.PagerError)
        {
            PagerErrors++;
            _lost.Add((place.Shadow, place.At));
            // What nobody can read any more need not be reported as written.
            if (place.Written is not null) place.Written[place.Page] = false;
        }
        if (status is FaultStatus.PagerError or FaultStatus.Poisoned) return true;
        if (status != FaultStatus.OutOfMemory)
        {
            Assert.That(status, Is.LessThanOrEqualTo(FaultStatus.Emulated), Where);
            return false;
        }
        Exhaustions++;
        bool mayFail = Faults is not null || Swap.Slots.Free < 64;
        Assert.That(mayFail, "out of memory with room in the store; " + Where);
        // The host's part: it gives something up, and the guests go on.
        Discard();
        return true;
    }

    private void Read(Place place)
    {
        ulong offset = _random.Below(PageBytes);
        FaultStatus status = _vcpus[place.Guest].Touch(place.Gpa + offset, null, out byte value);
        if (IsRefused(in place, status)) return;
        if (value != place.Bytes[(int)offset]) Assert.Fail("byte at 0x" + place.Gpa.ToString("x", null) + "; " + Where);
    }

    private void Write(Place place)
    {
        ulong offset = _random.Below(PageBytes);
        byte value = (byte)_random.Next();
        FaultStatus status = _vcpus[place.Guest].Touch(place.Gpa + offset, value, out _);
        if (IsRefused(in place, status)) return;
        place.Bytes[(int)offset] = value;
        if (place.Written is not null) place.Written[place.Page] = true;
    }

    /// <summary>A whole page at once: of random bytes, or of zeros, which need no slot.</summary>
    private void Fill(Place place)
    {
        if (_random.OneIn(2)) _random.Fill(_page.AsSpan());
        else _page.AsSpan().Clear();
        FaultStatus status = _guests[place.Guest].Write(new Gpa(place.Gpa), _page);
        if (IsRefused(in place, status)) return;
        _page.CopyTo(place.Bytes);
        if (place.Written is not null) place.Written[place.Page] = true;
    }

    private void HoldOrRelease()
    {
        if (_holds.Count >= 8)
        {
            int which = _random.Below(_holds.Count);
            (int guest, GuestSpan held, int at, byte[] shadow) = _holds[which];
            Assert.That(held.Bytes.SequenceEqual(shadow.AsSpan(at, (int)PageBytes)), "held; " + Where);
            held.Bytes[9] = (byte)_random.Next();
            shadow[at + 9] = held.Bytes[9];
            if (shadow == _privateBytes[guest]) _privateWritten[guest][at / (int)PageBytes] = true;
            _guests[guest].Release([held]);
            _holds.RemoveAt(which);
            return;
        }
        Place place = RandomPlace();
        var spans = new GuestSpan[1];
        FaultStatus status =
            _guests[place.Guest].Hold(new Gpa(place.Gpa), PageBytes, Prot.ReadWrite, spans, out _);
        if (IsRefused(in place, status)) return;
        if (place.Written is not null) place.Written[place.Page] = true;
        _holds.Add((place.Guest, spans[0], place.At, place.Shadow));
    }

    private void Harvest(int guest)
    {
        var bitmap = new ulong[(PrivatePages + 63) / 64];
        _guests[guest].HarvestModified(new Gpa(PrivateStart), PrivatePages * PageBytes, bitmap);
        for (int page = 0; page < (int)PrivatePages; page++)
        {
            bool reported = (bitmap[page >> 6] >> (page & 63) & 1) != 0;
            if (!reported && _privateWritten[guest][page]) Assert.Fail("page " + page + " not reported; " + Where);
            _privateWritten[guest][page] = false;
        }
    }

    private void ProtectAndBack(Place place)
    {
        var gpa = new Gpa(place.Gpa);
        _guests[place.Guest].Protect(gpa, PageBytes, _random.Pick<Prot>([Prot.None, Prot.Read]));
        FaultStatus status = _vcpus[place.Guest].TryAccess(place.Gpa, Prot.Write, out _);
        Assert.That(status, Is.EqualTo(FaultStatus.Protection), Where);
        _guests[place.Guest].Protect(gpa, PageBytes, Prot.All);
    }

    private void FaultBatch(int guest)
    {
        int count = _random.Between(2, 70);
        ulong[] gpa = new ulong[count];
        Prot[] access = new Prot[count];
        ulong[] hpa = new ulong[count];
        var status = new FaultStatus[count];
        ulong first = _random.Below(PrivatePages);
        for (int i = 0; i < count; i++)
        {
            gpa[i] = PrivateStart + (first + (ulong)i) % PrivatePages * PageBytes;
            access[i] = Prot.Read;
        }
        _vcpus[guest].Consumer.Fault(new FaultBatch(gpa, access, hpa, status));
        for (int i = 0; i < count; i++)
        {
            if (status[i] == FaultStatus.OutOfMemory) continue;
            IsRefused(PrivateAt(guest, (first + (ulong)i) % PrivatePages), status[i]);
        }
    }

    /// <summary>Gives a run of private memory up: it is zero from here on.</summary>
    private void Discard()
    {
        int guest = _random.Below(Guests);
        ulong first = _random.Below(PrivatePages - DiscardPages + 1);
        for (int i = _holds.Count - 1; i >= 0; i--)
        {
            if (_holds[i].Guest != guest) continue;
            _guests[guest].Release([_holds[i].Span]);
            _holds.RemoveAt(i);
        }
        var gpa = new Gpa(PrivateStart + first * PageBytes);
        _guests[guest].Unmap(gpa, DiscardPages * PageBytes);
        _guests[guest].MapMemory(gpa, DiscardPages * PageBytes);
        _privateBytes[guest].AsSpan((int)(first * PageBytes), (int)(DiscardPages * PageBytes)).Clear();
        for (ulong page = first; page < first + DiscardPages; page++)
        {
            _lost.Remove((_privateBytes[guest], (int)(page * PageBytes)));
        }
        _privateWritten[guest].AsSpan((int)first, (int)DiscardPages).Clear();
    }

    private void CheckAll()
    {
        foreach ((int guest, ulong gpa) in s_places)
        {
            for (ulong page = 0; page < SharedPages; page++) Check(SharedAt(guest, gpa, page));
        }
        for (int guest = 0; guest < Guests; guest++)
        {
            for (ulong page = 0; page < PrivatePages; page++) Check(PrivateAt(guest, page));
        }
    }

    private void Check(Place place)
    {
        FaultStatus status;
        while ((status = _guests[place.Guest].Read(new Gpa(place.Gpa), _page)) == FaultStatus.OutOfMemory) Discard();
        if (IsRefused(in place, status)) return;
        if (_page.AsSpan().SequenceEqual(place.Bytes)) return;
        Assert.Fail("page at 0x" + place.Gpa.ToString("x", null) + "; " + Where);
    }
}
