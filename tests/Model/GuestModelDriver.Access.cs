using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda.Tests.Model;

/// <summary>Operations on the memory.</summary>
public sealed unsafe partial class GuestModelDriver
{
    private void Access()
    {
        ulong page = RandomPage();
        int offset = _random.Below((int)PageBytes);
        Prot access = RandomAccess();
        FaultStatus expected = Shadow.Expect(page, access);
        FaultStatus status = Vcpu.TryAccess(page * PageBytes + (ulong)offset, access, out byte* host);
        if (status == FaultStatus.OutOfMemory && expected == FaultStatus.Resolved)
        {
            Exhausted();
            return;
        }
        if (expected == FaultStatus.Resolved && Shadow.Pages[page].Memory.IsDevice) expected = FaultStatus.NoMapping;
        Assert.That(status, Is.EqualTo(expected), access + " of page 0x" + page.ToString("x", null) + "; " + Where);
        if (status != FaultStatus.Resolved) return;
        Assert.That(*host, Is.EqualTo(Shadow.Pages[page].Bytes[offset]), Where);
        Count("Access" + access);
        if (access != Prot.Write) return;
        *host = (byte)_random.Next();
        Shadow.Pages[page].Bytes[offset] = *host;
        Shadow.MarkWritten(page);
    }

    private void FaultBatch()
    {
        int count = _random.Between(1, 70);
        ulong[] gpa = new ulong[count];
        Prot[] access = new Prot[count];
        ulong[] hpa = new ulong[count];
        var status = new FaultStatus[count];
        for (int i = 0; i < count; i++)
        {
            gpa[i] = RandomPage() * PageBytes + _random.Below(PageBytes);
            access[i] = RandomAccess();
        }
        int allowed = Vcpu.Consumer.Fault(new FaultBatch(gpa, access, hpa, status));
        bool exhausted = false;
        for (int i = 0; i < count; i++)
        {
            FaultStatus expected = Shadow.Expect(gpa[i] / PageBytes, access[i]);
            FaultStatus end = status[i] <= FaultStatus.Emulated ? FaultStatus.Resolved : status[i];
            bool isShort = status[i] == FaultStatus.OutOfMemory && expected == FaultStatus.Resolved;
            exhausted |= isShort;
            if (!isShort) Assert.That(end, Is.EqualTo(expected), "lane " + i + "; " + Where);
            Assert.That(hpa[i] != 0, Is.EqualTo(end == FaultStatus.Resolved), "lane " + i + "; " + Where);
            if (end != FaultStatus.Resolved) continue;
            allowed--;
            CheckLane(gpa[i], access[i], hpa[i]);
        }
        Assert.That(allowed, Is.Zero, Where);
        if (exhausted) Exhausted();
        Count("FaultBatch");
    }

    private void CheckLane(ulong gpa, Prot access, ulong hpa)
    {
        ShadowPage shown = Shadow.Pages[gpa / PageBytes];
        Assert.That(_arena.IsArena(hpa), Is.Not.EqualTo(shown.Memory.IsDevice), Where);
        Assert.That(Current.TryTranslate(new Gpa(gpa), access, out Hpa now), Where);
        Assert.That(now.Value, Is.EqualTo(hpa), Where);
        if (_arena.IsArena(hpa))
        {
            Assert.That(*_arena.DirectMap(hpa), Is.EqualTo(shown.Bytes[gpa % PageBytes]), Where);
        }
        // A write fault enters the page as written, whether or not the write comes.
        if (access == Prot.Write) shown.Memory.MarkWritten(shown.Index);
    }

    private void CopyIn()
    {
        RandomRun(out ulong first, out ulong pages);
        int offset = _random.Below((int)PageBytes);
        byte[] bytes = new byte[_random.Between(1, (int)(pages * PageBytes) - offset)];
        _random.Fill(bytes.AsSpan(0, Math.Min(bytes.Length, 32)));
        bytes[^1] = (byte)_random.Next();
        FaultStatus expected = ExpectRange(first, offset, bytes.Length, Prot.Write);
        FaultStatus status = Current.Write(At(first, (ulong)offset), bytes);
        bool isShort = status == FaultStatus.OutOfMemory && expected == FaultStatus.Resolved;
        if (isShort) Exhausted();
        else Assert.That(status, Is.EqualTo(expected), "write; " + Where);
        if (status == FaultStatus.Resolved) Count("CopyIn");
        if (status != FaultStatus.Resolved && !isShort) return;
        if (isShort) MayBeMarked(first, first + pages - 1);
        for (int done = 0; done < bytes.Length;)
        {
            ulong page = first + (ulong)((offset + done) / (int)PageBytes);
            int at = (offset + done) % (int)PageBytes;
            int some = Math.Min(bytes.Length - done, (int)PageBytes - at);
            // Out of memory on the way: pages in front of the one that could not be had are written.
            if (isShort && !IsWritten(page, at, bytes.AsSpan(done, some))) return;
            bytes.AsSpan(done, some).CopyTo(Shadow.Pages[page].Bytes.AsSpan(at));
            Shadow.MarkWritten(page);
            done += some;
        }
    }

    /// <summary>A write access that fails on the way leaves marks on pages that it did not come to.</summary>
    private void MayBeMarked(ulong first, ulong last)
    {
        for (ulong page = first; page <= last; page++)
        {
            if (Shadow.Pages.TryGetValue(page, out ShadowPage? shown)) shown.Memory.MarkWritten(shown.Index);
        }
    }

    private bool IsWritten(ulong page, int at, ReadOnlySpan<byte> bytes)
    {
        if (!Current.TryTranslate(At(page), Prot.Read, out Hpa hpa)) return false;
        byte* host = _arena.IsArena(hpa.Value) ? _arena.DirectMap(hpa.Value) : null;
        return host == null || new ReadOnlySpan<byte>(host + at, bytes.Length).SequenceEqual(bytes);
    }

    private void CopyOut()
    {
        RandomRun(out ulong first, out ulong pages);
        int offset = _random.Below((int)PageBytes);
        byte[] bytes = new byte[_random.Between(1, (int)(pages * PageBytes) - offset)];
        FaultStatus expected = ExpectRange(first, offset, bytes.Length, Prot.Read);
        FaultStatus status = Current.Read(At(first, (ulong)offset), bytes);
        if (status == FaultStatus.OutOfMemory && expected == FaultStatus.Resolved)
        {
            Exhausted();
            return;
        }
        Assert.That(status, Is.EqualTo(expected), "read; " + Where);
        if (status != FaultStatus.Resolved) return;
        Count("CopyOut");
        for (int i = 0; i < bytes.Length; i++)
        {
            ShadowPage shown = Shadow.Pages[first + (ulong)((offset + i) / (int)PageBytes)];
            // All devices show the same host memory, which the shadows of single ones do not follow.
            if (shown.Memory.IsDevice || bytes[i] == shown.Bytes[(offset + i) % (int)PageBytes]) continue;
            Assert.Fail("byte " + i + " of a read at page 0x" + first.ToString("x", null) + "; " + Where);
        }
    }

    private FaultStatus ExpectRange(ulong first, int offset, int length, Prot access)
    {
        ulong last = first + (ulong)((offset + length - 1) / (int)PageBytes);
        for (ulong page = first; page <= last; page++)
        {
            FaultStatus status = Shadow.Expect(page, access);
            if (status != FaultStatus.Resolved) return status;
        }
        return FaultStatus.Resolved;
    }

    private void Hold()
    {
        RandomRun(out ulong first, out ulong pages);
        int offset = _random.Below((int)PageBytes);
        ulong length = (ulong)_random.Between(1, (int)(pages * PageBytes) - offset);
        Prot access = _random.OneIn(2) ? Prot.Read : Prot.ReadWrite;
        ulong last = first + ((ulong)offset + length - 1) / PageBytes;
        var refusals = new HashSet<FaultStatus>();
        for (ulong page = first; page <= last; page++)
        {
            FaultStatus one = Shadow.Expect(page, access);
            if (one == FaultStatus.Resolved && Shadow.Pages[page].Memory.IsDevice) one = FaultStatus.NoMapping;
            if (one != FaultStatus.Resolved) refusals.Add(one);
        }
        var spans = new GuestSpan[last - first + 1];
        FaultStatus status = Current.Hold(At(first, (ulong)offset), length, access, spans, out int count);
        if (access == Prot.ReadWrite) MayBeMarked(first, last);
        if (status == FaultStatus.OutOfMemory)
        {
            Exhausted();
            return;
        }
        if (status != FaultStatus.Resolved)
        {
            Assert.That(refusals, Does.Contain(status), Where);
            Assert.That(count, Is.Zero, Where);
            return;
        }
        Assert.That(refusals, Is.Empty, Where);
        var shadows = new List<byte[]>();
        for (ulong page = first; page <= last; page++)
        {
            shadows.Add(Shadow.Pages[page].Bytes);
            if (access == Prot.ReadWrite) Shadow.MarkWritten(page);
        }
        var hold = new ModelHold(spans[..count], offset, shadows, access);
        hold.Check(Where);
        Assert.That(hold.Length, Is.EqualTo((int)length), Where);
        _holds.Add(hold);
        Count("Hold");
    }

    private void UseHold()
    {
        if (_holds.Count == 0) return;
        ModelHold hold = _holds[_random.Below(_holds.Count)];
        hold.Check(Where);
        if ((hold.Access & Prot.Write) != 0) hold.Write(_random.Below(hold.Length), (byte)_random.Next());
        Count("UseHold");
    }

    private void Release()
    {
        if (_holds.Count == 0) return;
        int index = _random.Below(_holds.Count);
        ModelHold hold = _holds[index];
        _holds.RemoveAt(index);
        hold.Check(Where);
        Current.Release(hold.Spans);
        Count("Release");
    }

    private void Harvest()
    {
        RandomRun(out ulong first, out ulong count);
        ulong[] bitmap = new ulong[1];
        ulong found = Current.HarvestModified(At(first), count * PageBytes, bitmap);
        Assert.That(ulong.PopCount(bitmap[0]), Is.EqualTo(found), Where);
        for (ulong i = 0; i < count; i++)
        {
            bool reported = (bitmap[0] >> (int)i & 1) != 0;
            if (Shadow.Written.Remove(first + i)) Assert.That(reported, "page " + i + " not reported; " + Where);
            if (!reported) continue;
            bool isMapped = Shadow.Pages.TryGetValue(first + i, out ShadowPage? shown);
            Assert.That(isMapped && shown!.Memory.WasWritten(shown.Index), "page " + i + " reported; " + Where);
        }
        Count("Harvest");
    }
}
