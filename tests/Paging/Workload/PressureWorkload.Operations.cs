using System;
using System.Collections.Generic;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda.Tests.Workload;

/// <summary>What the host does between accesses. No vCPU is in its slot.</summary>
internal sealed unsafe partial class PressureWorkload
{
    private const int HoldsMax = 16;
    private const int WiresMax = 8;

    private readonly Prot[] _prot = NewRights();
    private readonly bool[] _written = new bool[Pages];
    private readonly int[] _wires = new int[Pages];
    private readonly List<(ulong Page, ulong Count)> _wirings = [];
    private readonly List<Held> _holds = [];
    private readonly ulong[] _bitmap = new ulong[PrivatePages / 64];

    // A copy may fault between two of its pages, and what interrupts that must not change what it has copied.
    private (ulong Page, ulong Count) _copied;
    private int _rescues;

    /// <summary>A held page; once it was discarded, its bytes are the holder's own.</summary>
    private sealed class Held(GuestSpan span, ulong page)
    {
        public readonly GuestSpan Span = span;
        public readonly ulong Page = page;
        public byte[]? Own;
    }

    private static Prot[] NewRights()
    {
        var rights = new Prot[PrivatePages];
        rights.AsSpan().Fill(Prot.All);
        return rights;
    }

    private void Operate()
    {
        switch (_random.Below(24))
        {
            case < 3: Harvest(); break;
            case < 6: Protect(); break;
            case < 9: WireOrUnwire(); break;
            case < 13: HoldOrRelease(); break;
            case < 15: Discard(); break;
            case < 16: Advise(Advice.Populate); break;
            case < 17: Advise(Advice.WillNeed); break;
            case < 18: Advise(Advice.Cold); break;
            case < 20: Copy(); break;
            case < 22: AccessOther(); break;
            case < 23: _daemon.Reclaim(1 + _random.Below(96)); break;
            default: StepOrRenew(); break;
        }
    }

    /// <summary>A short run of pages, all private or all shared.</summary>
    private ulong AnyRun(ulong max, out ulong count)
    {
        ulong page = _random.OneIn(3) ? PrivatePages + _random.Below(SharedPages) : _random.Below(PrivatePages);
        count = 1 + _random.Below(max);
        return page < PrivatePages ? ulong.Min(page, PrivatePages - count) : ulong.Min(page, Pages - count);
    }

    private void Harvest()
    {
        _bitmap.AsSpan().Clear();
        _guest.HarvestModified(new Gpa(0), PrivatePages * PageBytes, _bitmap);
        for (ulong page = 0; page < PrivatePages; page++)
        {
            bool reported = (_bitmap[page >> 6] >> (int)(page & 63) & 1) != 0;
            if (_written[page] && !reported) Fail("was written and is not reported", page);
            _written[page] = false;
        }
    }

    private void Protect()
    {
        ulong page = _random.Below(PrivatePages - 64);
        ulong count = 1 + _random.Below(64UL);
        Prot prot = _random.Pick<Prot>([Prot.Read, Prot.ReadExecute, Prot.None, Prot.All, Prot.All]);
        bool isRefused = prot == Prot.None && IsWired(page, count);
        try
        {
            _guest.Protect(new Gpa(page * PageBytes), count * PageBytes, prot);
            if (isRefused) Fail("lost all rights though it is wired", page);
            _prot.AsSpan((int)page, (int)count).Fill(prot);
        }
        catch (MapException refusal)
        {
            if (!isRefused || refusal.Error != MapError.Wired) throw;
        }
    }

    private void Restore()
    {
        _guest.Protect(new Gpa(0), PrivatePages * PageBytes, Prot.All);
        _prot.AsSpan().Fill(Prot.All);
    }

    private bool IsWired(ulong page, ulong count)
    {
        foreach (int wires in _wires.AsSpan((int)page, (int)count))
        {
            if (wires != 0) return true;
        }
        return false;
    }

    private void WireOrUnwire()
    {
        if (_wirings.Count == WiresMax || (_wirings.Count != 0 && _random.OneIn(2)))
        {
            Unwire();
            return;
        }
        ulong page = AnyRun(32, out ulong count);
        bool isRefused = page < PrivatePages && _prot.AsSpan((int)page, (int)count).Contains(Prot.None);
        try
        {
            _guest.Wire(new Gpa(AddressOf(page, alias: false)), count * PageBytes);
            if (isRefused) Fail("was wired though it has no right", page);
            _wirings.Add((page, count));
            for (ulong i = page; i < page + count; i++) _wires[i]++;
            CheckWired(page, count);
        }
        catch (MapException refusal)
        {
            if (!isRefused || refusal.Error != MapError.Rights) throw;
        }
    }

    private void Unwire()
    {
        int which = _random.Below(_wirings.Count);
        (ulong page, ulong count) = _wirings[which];
        // In part now and then.
        ulong part = _random.OneIn(3) ? 1 + _random.Below(count) : count;
        _guest.Unwire(new Gpa(AddressOf(page, alias: false)), part * PageBytes);
        for (ulong i = page; i < page + part; i++) _wires[i]--;
        if (part == count) _wirings.RemoveAt(which);
        else _wirings[which] = (page + part, count - part);
    }

    /// <summary>No access to what is wired faults.</summary>
    private void CheckWired(ulong page, ulong count)
    {
        CachingVcpu vcpu = _vcpus[1];
        ulong faults = vcpu.Faults;
        for (ulong i = page; i < page + count; i++)
        {
            bool isWrite = (ProtOf(i) & Prot.Write) != 0;
            Access(1, i, (_random.Next() & ~(WriteBits | AliasBit)) | (isWrite ? 0 : WriteBits));
        }
        vcpu.Leave();
        if (vcpu.Faults != faults) Fail("faulted though it is wired", page);
    }

    private void HoldOrRelease()
    {
        foreach (Held held in _holds) WriteThrough(held);
        if (_holds.Count == HoldsMax || (_holds.Count != 0 && _random.OneIn(2)))
        {
            Release(_random.Below(_holds.Count));
            return;
        }
        Hold(0, _random.Below(Pages), _random.OneIn(3) ? Prot.Read : Prot.Write);
    }

    private void Hold(int vcpu, ulong page, Prot access)
    {
        Span<GuestSpan> spans = new GuestSpan[1];
        ulong gpa = AddressOf(page, _random.OneIn(2));
        FaultStatus status = _vcpus[vcpu].Hold(gpa, PageBytes, access, spans);
        FaultStatus expected = (access & ~ProtOf(page)) == 0 ? FaultStatus.Resolved : FaultStatus.Protection;
        if (status != expected) Fail("held: " + status + ", not " + expected, page);
        if (status != FaultStatus.Resolved) return;
        _holds.Add(new Held(spans[0], page));
        _written[page] |= access == Prot.Write;
    }

    private void Release(int which)
    {
        Held held = _holds[which];
        _guest.Release([held.Span]);
        _holds.RemoveAt(which);
        // Written through the pointer, perhaps after a harvest that saw the hold.
        _written[held.Page] |= held.Own is null && held.Span.Access == Prot.Write;
    }

    private void WriteThrough(Held held)
    {
        Span<byte> shadow = held.Own ?? _shadow.AsSpan((int)(held.Page * PageBytes), (int)PageBytes);
        var bytes = new Span<byte>(held.Span.Pointer, (int)PageBytes);
        if (!bytes.SequenceEqual(shadow)) Fail("differs from its shadow where it is held", held.Page);
        if (held.Span.Access == Prot.Read) return;
        int at = _random.Below((int)PageBytes);
        bytes[at] = (byte)_random.Next();
        shadow[at] = bytes[at];
    }

    private void Discard()
    {
        Span<GpaRange> ranges = stackalloc GpaRange[3];
        Span<(ulong Page, ulong Count)> runs = stackalloc (ulong, ulong)[3];
        bool isRefused = false;
        for (int i = 0; i < ranges.Length; i++)
        {
            ulong page = AnyRun(24, out ulong count);
            isRefused |= IsWired(page, count);
            runs[i] = (page, count);
            ranges[i] = new GpaRange(new Gpa(AddressOf(page, _random.OneIn(2))), count * PageBytes);
        }
        try
        {
            _guest.Advise(ranges, Advice.Discard);
            if (isRefused) Fail("was discarded though it is wired", runs[0].Page);
            foreach ((ulong page, ulong count) in runs) Forget(page, count);
        }
        catch (MapException refusal)
        {
            if (!isRefused || refusal.Error != MapError.Wired) throw;
        }
    }

    /// <summary>A step of the daemon; now and then a whole window is dropped and written anew.</summary>
    private void StepOrRenew()
    {
        if (!_random.OneIn(4))
        {
            _daemon.Step();
            return;
        }
        const ulong Window = 512;
        ulong page = _random.Below(Pages / Window) * Window;
        if (IsWired(page, Window)) return;
        ulong gpa = AddressOf(page, alias: false);
        _guest.Advise(new Gpa(gpa), Window * PageBytes, Advice.Discard);
        Forget(page, Window);
        if (_random.OneIn(3)) _guest.Advise(new Gpa(gpa), Window * PageBytes, Advice.Populate);
        for (ulong i = page; i < page + Window; i++)
        {
            if ((ProtOf(i) & Prot.Write) != 0) Access(0, i, _random.Next() & ~(WriteBits | AliasBit));
        }
        _vcpus[0].Leave();
    }

    private void Forget(ulong page, ulong count)
    {
        foreach (Held held in _holds)
        {
            if (held.Own is not null || held.Page - page >= count) continue;
            // Two holds of a page share its frame, and go on to.
            foreach (Held twin in _holds)
            {
                if (twin.Own is not null && twin.Span.Pointer == held.Span.Pointer) held.Own = twin.Own;
            }
            held.Own ??= _shadow.AsSpan((int)(held.Page * PageBytes), (int)PageBytes).ToArray();
        }
        Span<byte> shadow = _shadow.AsSpan((int)(page * PageBytes), (int)(count * PageBytes));
        for (ulong i = 0; i < count; i++)
        {
            Span<byte> bytes = shadow.Slice((int)(i * PageBytes), (int)PageBytes);
            if (bytes.ContainsAnyExcept((byte)0)) _written[page + i] = true;
        }
        shadow.Clear();
    }

    private void Advise(Advice advice)
    {
        ulong page = AnyRun(128, out ulong count);
        AdviceResult result = _guest.Advise(new Gpa(AddressOf(page, _random.OneIn(2))), count * PageBytes, advice);
        if (result.Status != FaultStatus.Resolved) Fail(advice + ": " + result.Status, page);
    }

    private void Copy()
    {
        ulong page = AnyRun(4, out ulong count);
        Span<byte> bytes = _buffer.AsSpan(0, (int)(count * PageBytes));
        bool isWrite = _random.OneIn(2);
        if (isWrite && _random.OneIn(2)) _random.Fill(bytes[..64]);
        else if (isWrite) bytes.Clear();
        var gpa = new Gpa(AddressOf(page, _random.OneIn(2)));
        _copied = (page, count);
        FaultStatus status = isWrite ? _guest.Write(gpa, bytes) : _guest.Read(gpa, bytes);
        _copied = default;
        Prot access = isWrite ? Prot.Write : Prot.Read;
        bool isAllowed = true;
        for (ulong i = page; i < page + count; i++) isAllowed &= (access & ~ProtOf(i)) == 0;
        if ((status == FaultStatus.Resolved) != isAllowed) Fail("copied: " + status, page);
        if (!isAllowed) return;
        Span<byte> shadow = _shadow.AsSpan((int)(page * PageBytes), bytes.Length);
        if (isWrite)
        {
            bytes.CopyTo(shadow);
            _written.AsSpan((int)page, (int)count).Fill(true);
        }
        else if (!bytes.SequenceEqual(shadow))
        {
            Fail("differs from its shadow in a copy", page);
        }
    }

    /// <summary>The second guest uses what is shared.</summary>
    private void AccessOther()
    {
        for (int i = 0; i < 64; i++) Access(2, PrivatePages + _random.Below(SharedPages), _random.Next());
        _vcpus[2].Leave();
    }

    /// <summary>Pages are on their way out: some are touched, or held.</summary>
    private void InterruptWrite()
    {
        if (!_random.OneIn(4)) return;
        int vcpu = _random.OneIn(2) ? Interrupter : OtherInterrupter;
        for (int i = 0; i < 24; i++)
        {
            ulong page = IsOther(vcpu) ? PrivatePages + _random.Below(SharedPages) : _random.Below(Pages);
            ulong* word = page < PrivatePages ? null : _shared.FindWord(page - PrivatePages);
            if (page - _copied.Page < _copied.Count) continue;
            if (word != null && PageWord.StateOf(*word) == PageState.Evicting) _rescues++;
            _vcpus[vcpu].PutAside();
            Access(vcpu, page, _random.Next());
        }
        if (_holds.Count < HoldsMax && _random.OneIn(2))
        {
            _vcpus[Interrupter].PutAside();
            Hold(Interrupter, _random.Below(Pages), Prot.Write);
        }
        _vcpus[vcpu].Leave();
    }
}
