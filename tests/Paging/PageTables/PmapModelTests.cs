using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

/// <summary>
/// Drives a pmap and a dictionary with the same random operations, frames running dry in between; after each one they
/// must agree on its result, on what the sink was told, on every mapping and on the marks of every frame.
/// </summary>
public sealed class PmapModelTests
{
    private const ulong Page = Paging.PageBytes;
    private const int OperationsPerRun = 350;
    private const int WindowPages = Paging.WindowPages;

    // Neighbours in one table, on both sides of a table's end, and in another subtree.
    private static readonly ulong[] s_windows = [0, 1UL << 21, 511UL << 21, 1UL << 30, 1UL << 39];
    private static readonly ulong[] s_offsets = [0, 1, 2, 7, 8, 9, 255, 256, 509, 510, 511];
    private static readonly ulong[] s_lengths = [1, 1, 2, 3, 8, 9, 511, 512, 513, 1024, 1UL << 18, 1UL << 30];

    private PmapHarness _h = null!;
    private PmapModel _model = null!;
    private SeededGenerator _random = null!;
    private ulong[] _runs = null!;
    private string _last = "";

    [Test]
    public void AgreesWithADictionary([ValueSource(typeof(Formats), nameof(Formats.NamesAnyDepth))] string name,
        [Values(1UL, 2UL)] ulong seed)
    {
        _random = new SeededGenerator((0x0DE1_0000 + seed) * 31 + (ulong)name.Length);
        using var h = new PmapHarness(Formats.ByName(name));
        _h = h;
        _runs = [h.TakePages(9), h.TakePages(9)];
        _model = new PmapModel(h.Pmap.Format);
        for (int i = 0; i < OperationsPerRun; i++)
        {
            h.LimitFrames(_random.OneIn(4) ? _random.Below(5) : -1);
            _model.Removed.Clear();
            Step();
            AssertSame();
            h.Log.Release();
        }
        h.LimitFrames(-1);
        h.RemoveAll();
        h.AssertNothingLeaked(1024);
    }

    private void Step()
    {
        switch (_random.Below(21))
        {
            case 0 or 1 or 2: Enter(); break;
            case 3: EnterRun(); break;
            case 4 or 5 or 16 or 17: EnterSuperpage(); break;
            case 6: Access(); break;
            case 7: AccessOrWriteByTheHost(); break;
            case 8: Remove(); break;
            case 9: Protect(); break;
            case 10: RemoveWrite(); break;
            case 11: HarvestModified(); break;
            case 12: HarvestReferenced(); break;
            case 13: ClearReferenced(); break;
            case 14: Wire(); break;
            case 18 or 19 or 20: Promote(); break;
            default: UnwireOrDemote(); break;
        }
    }

    private void Enter()
    {
        ulong gpa = AnyPage();
        ulong hpa = FrameFor(gpa);
        LeafRequest request = AnyRequest();
        PmapStatus status = _h.Enter(gpa, hpa, in request);
        Describe($"Enter({gpa:x}, {hpa:x}, {request.Prot}, {request.Access}, {request.Wired}) = {status}");
        if (status == PmapStatus.NoFrame) RanDry(gpa, Page);
        else Assert.That(status, Is.EqualTo(_model.Enter(gpa, hpa, in request)), _last);
    }

    private void EnterRun()
    {
        ulong gpa = AnyPage();
        ulong hpa = FrameFor(gpa);
        // As far as the run of frames goes.
        ulong left = WindowPages - ((hpa >> Paging.PageShift) & (WindowPages - 1));
        ulong pages = ulong.Min(_random.Pick<ulong>(s_lengths), left);
        LeafRequest request = AnyRequest();
        PmapStatus status = _h.EnterRun(gpa, hpa, pages, in request, out ulong entered);
        Describe($"EnterRun({gpa:x}, {hpa:x}, {pages}, {request.Prot}, {request.Access}) = {status} {entered}");
        PmapStatus expected = PmapStatus.Ok;
        ulong done = 0;
        ulong limit = status == PmapStatus.NoFrame ? entered : pages;
        while (done < limit)
        {
            expected = _model.Enter(gpa + done * Page, hpa + done * Page, in request);
            if (expected > PmapStatus.Unchanged) break;
            expected = PmapStatus.Ok;
            done++;
        }
        Assert.That(entered, Is.EqualTo(done), _last);
        if (status == PmapStatus.NoFrame) RanDry(gpa + done * Page, Page);
        else Assert.That(status, Is.EqualTo(expected), _last);
    }

    private void EnterSuperpage()
    {
        ulong gpa = _random.Pick<ulong>(s_windows);
        if (_random.OneIn(2)) RemoveRange(gpa, Paging.WindowBytes);     // Make room, or it is occupied mostly.
        ulong hpa = FrameFor(gpa);
        LeafRequest request = AnyRequest();
        PmapStatus status = _h.EnterSuperpage(gpa, hpa, 2, in request);
        Describe($"EnterSuperpage({gpa:x}, {hpa:x}, {request.Prot}, {request.Access}, {request.Wired}) = {status}");
        if (status == PmapStatus.NoFrame) Assert.That(_h.IsDry, Is.True, _last);
        else Assert.That(status, Is.EqualTo(_model.EnterSuperpage(gpa, hpa, in request)), _last);
    }

    private void Access()
    {
        ulong gpa = AnyPage();
        Prot access = _random.Pick<Prot>([Prot.Read, Prot.Write, Prot.Execute]);
        bool allowed = _h.Access(gpa, access);
        Describe($"Access({gpa:x}, {access}) = {allowed}");
        bool isDemotion = access == Prot.Write && _model.Find(gpa) is { Parked: true };
        if (isDemotion && !allowed && _h.IsDry) return;
        Assert.That(allowed, Is.EqualTo(_model.Access(gpa, access)), _last);
    }

    private void AccessOrWriteByTheHost()
    {
        if (_random.OneIn(2))
        {
            Access();
            return;
        }
        ulong frame = FrameFor(AnyPage()) >> Paging.PageShift;
        _h.Arena.Frames.SetDirty((uint)frame);
        _model.Dirty.Add(frame);
        _model.Written.Add(frame);
        Describe($"the host writes frame {frame}");
    }

    private void Remove()
    {
        (ulong gpa, ulong length) = AnyRange();
        RemoveRange(gpa, length);
    }

    private void RemoveRange(ulong gpa, ulong length)
    {
        _h.Remove(gpa, length);
        Describe($"Remove({gpa:x}, {length:x})");
        _model.ForRange(gpa, length, _ => true, RemovedInstead, _model.Remove);
    }

    private void Protect()
    {
        (ulong gpa, ulong length) = AnyRange();
        var keep = (Prot)_random.Below(8);
        _h.Protect(gpa, length, keep);
        Describe($"Protect({gpa:x}, {length:x}, {keep})");
        if (keep == Prot.All) return;
        if (_h.Pmap.Format.CanExpress(keep)) Strip(gpa, length, keep);
        else _model.ForRange(gpa, length, _ => true, RemovedInstead, _model.Remove);
    }

    private void RemoveWrite()
    {
        (ulong gpa, ulong length) = AnyRange();
        _h.RemoveWrite(gpa, length);
        Describe($"RemoveWrite({gpa:x}, {length:x})");
        Strip(gpa, length, Prot.ReadExecute);
    }

    private void Strip(ulong gpa, ulong length, Prot keep) => _model.ForRange(gpa, length,
        leaf => (leaf.Prot & ~keep) != 0 || (leaf.Parked && (keep & Prot.Write) == 0), RemovedInstead,
        leaf => _model.Strip(leaf, keep));

    private void HarvestModified()
    {
        (ulong gpa, ulong length) = AnyShortRange();
        bool clear = !_random.OneIn(3);
        ulong count = _h.HarvestModified(gpa, length, clear, out ulong[] bitmap);
        Describe($"HarvestModified({gpa:x}, {length:x}, {clear}) = {count}");
        var expected = new ulong[bitmap.Length];
        foreach (ModelLeaf leaf in _model.Touched(gpa, length))
        {
            bool clearsMark = clear;
            bool modified = leaf.Modified;
            if (clear && modified && !PmapModel.Covers(gpa, length, leaf))
            {
                clearsMark = _h.LevelOf(leaf.Gpa) == 1;
                if (clearsMark) _model.Demote(leaf);
                else Assert.That(_h.IsDry, Is.True, _last);
            }
            foreach (ulong at in PagesOf(leaf, gpa, length))
            {
                ulong frame = (leaf.Hpa + (at - leaf.Gpa)) >> Paging.PageShift;
                if (modified || _model.Written.Contains(frame)) Set(expected, at - gpa);
            }
            if (!clearsMark) continue;
            foreach (ulong at in PagesOf(leaf, gpa, length)) _model.ClearModified(_model.Find(at)!);
            foreach (ulong at in PagesOf(leaf, gpa, length))
                _model.Written.Remove((leaf.Hpa + (at - leaf.Gpa)) >> Paging.PageShift);
        }
        AssertBitmap(bitmap, expected, count);
    }

    private void HarvestReferenced()
    {
        (ulong gpa, ulong length) = AnyShortRange();
        bool clear = !_random.OneIn(3);
        ulong count = _h.HarvestReferenced(gpa, length, clear, out ulong[] bitmap);
        Describe($"HarvestReferenced({gpa:x}, {length:x}, {clear}) = {count}");
        var expected = new ulong[bitmap.Length];
        foreach (ModelLeaf leaf in _model.Touched(gpa, length))
        {
            if (!leaf.Accessed) continue;
            foreach (ulong at in PagesOf(leaf, gpa, length)) Set(expected, at - gpa);
            if (clear && PmapModel.Covers(gpa, length, leaf)) _model.ClearReferenced(leaf);
        }
        AssertBitmap(bitmap, expected, count);
    }

    private void ClearReferenced()
    {
        ulong gpa = AnyPage();
        bool referenced = _h.Pmap.ClearReferenced(gpa, out _);
        Describe($"ClearReferenced({gpa:x}) = {referenced}");
        Assert.That(referenced, Is.EqualTo(_model.ClearReferenced(_model.Find(gpa))), _last);
    }

    private void Wire()
    {
        (ulong gpa, ulong length) = AnyShortRange();
        Prot prot = _random.Pick<Prot>([Prot.Read, Prot.ReadWrite, Prot.All]);
        PmapStatus status = _h.Pmap.Wire(gpa, length, prot, _h.Cache, out ulong done);
        Describe($"Wire({gpa:x}, {length:x}, {prot}) = {status} {done:x}");
        for (ulong at = gpa; at < gpa + done; at += Page) Assert.That(_model.Find(at), Is.Not.Null, _last);
        ModelLeaf? next = _model.Find(gpa + done);
        if (status == PmapStatus.Ok) Assert.That(done, Is.EqualTo(length), _last);
        else if (status == PmapStatus.NotMapped) Assert.That(next, Is.Null, _last);
        else Assert.That(_h.IsDry && next is { Level: 2, Wired: false }, Is.True, _last);
        _model.ForRange(gpa, done, leaf => !_model.IsWiredFor(leaf, prot), _ => false, leaf => _model.Wire(leaf, prot));
    }

    private void UnwireOrDemote()
    {
        (ulong gpa, ulong length) = AnyRange();
        if (_random.OneIn(2))
        {
            _h.Pmap.Unwire(gpa, length, _h.Cache);
            Describe($"Unwire({gpa:x}, {length:x})");
            _model.ForRange(gpa, length, leaf => leaf.Wired, _ => false, leaf => leaf.Wired = false);
            return;
        }
        PmapStatus status = _h.Demote(gpa);
        Describe($"Demote({gpa:x}) = {status}");
        ModelLeaf? leaf = _model.Find(gpa);
        if (status == PmapStatus.NoFrame) RanDry(gpa, Page);
        else if (leaf?.Level == 2) _model.Demote(leaf);
        bool wasSuperpage = leaf?.Level == 2;
        if (!wasSuperpage) Assert.That(status, Is.AnyOf(PmapStatus.NotMapped, PmapStatus.Unchanged), _last);
    }

    /// <summary>Mostly after all pages of a window were entered alike, or it would hardly ever come to one.</summary>
    private void Promote()
    {
        ulong gpa = _random.Pick<ulong>(s_windows);
        if (!_random.OneIn(3))
        {
            ulong hpa = FrameFor(gpa);
            LeafRequest request = AnyRequest();
            PmapStatus status = _h.EnterRun(gpa, hpa, WindowPages, in request, out ulong entered);
            Describe($"EnterRun({gpa:x}, {hpa:x}, all, {request.Prot}, {request.Access}) = {status} {entered}");
            for (ulong i = 0; i < entered; i++) _model.Enter(gpa + i * Page, hpa + i * Page, in request);
            if (status == PmapStatus.NoFrame) RanDry(gpa + entered * Page, Page);
        }
        PromotionResult result = _h.Promote(gpa);
        Describe($"Promote({gpa:x}) = {result}");
        if (result == PromotionResult.NoFrame) Assert.That(_h.IsDry, Is.True, _last);
        else Assert.That(result, Is.EqualTo(_model.Promote(gpa)), _last);
    }

    /// <summary>NoFrame must be true, and a superpage that went instead must be in the log.</summary>
    private void RanDry(ulong gpa, ulong length)
    {
        Assert.That(_h.IsDry, Is.True, _last);
        foreach (ModelLeaf leaf in _model.Touched(gpa, length))
        {
            if (RemovedInstead(leaf)) _model.Remove(leaf);
        }
    }

    private bool RemovedInstead(ModelLeaf leaf)
    {
        foreach ((ulong gpa, ulong _, int level) in _h.Log.Pages)
        {
            if (gpa != leaf.Gpa || level != 2) continue;
            Assert.That(_h.IsDry, Is.True, _last);
            Assert.That(leaf.Wired, Is.False, _last);
            return true;
        }
        return false;
    }

    private void AssertSame()
    {
        PteFormat f = _h.Pmap.Format;
        _h.Pmap.CheckConsistency();
        ulong resident = 0;
        ulong wired = 0;
        foreach (ulong window in s_windows)
        {
            for (ulong gpa = window; gpa < window + Paging.WindowBytes; gpa += Page)
            {
                ulong entry = _h.Pmap.Lookup(gpa, out int level);
                ModelLeaf? leaf = _model.Find(gpa);
                if (leaf is null && entry == 0) continue;
                resident++;
                if (leaf is { Wired: true }) wired++;
                bool same = leaf is not null && entry != 0 && level == leaf.Level
                    && f.LeafFrame(entry, level) == leaf.Hpa && f.ProtOf(entry) == leaf.Prot
                    && (entry & f.Accessed) != 0 == leaf.Accessed && (entry & f.Modified) != 0 == leaf.Modified
                    && (entry & PteFormat.WriteParked) != 0 == leaf.Parked
                    && (entry & PteFormat.Wired) != 0 == leaf.Wired && (entry & PteFormat.Managed) != 0;
                if (!same) Assert.Fail($"{gpa:x}: {entry:x} level {level}, expected {Text(leaf)} after {_last}");
            }
        }
        Assert.That(_h.Statistics.ResidentPages, Is.EqualTo(resident), _last);
        Assert.That(_h.Statistics.WiredPages, Is.EqualTo(wired), _last);
        var told = new HashSet<(ulong, int)>();
        foreach ((ulong gpa, ulong _, int level) in _h.Log.Pages) told.Add((gpa, level));
        Assert.That(told.SetEquals(_model.Removed), Is.True, "the sink was told of what went: " + _last);
        foreach (ulong run in _runs)
        {
            for (uint i = 0; i < WindowPages; i++)
            {
                uint pfn = (uint)(run >> Paging.PageShift) + i;
                bool same = _h.Arena.Frames.IsDirty(pfn) == _model.Dirty.Contains(pfn)
                    && _h.Arena.Frames.IsWritten(pfn) == _model.Written.Contains(pfn);
                if (!same) Assert.Fail($"frame {pfn} has other marks after {_last}");
            }
        }
    }

    private void AssertBitmap(ulong[] bitmap, ulong[] expected, ulong count)
    {
        ulong set = 0;
        foreach (ulong word in bitmap) set += ulong.PopCount(word);
        Assert.That(set, Is.EqualTo(count), _last);
        Assert.That(bitmap, Is.EqualTo(expected), _last);
    }

    private static IEnumerable<ulong> PagesOf(ModelLeaf leaf, ulong gpa, ulong length)
    {
        for (ulong at = leaf.Gpa; at < leaf.Gpa + leaf.Bytes; at += Page)
        {
            if (at >= gpa && at - gpa < length) yield return at;
        }
    }

    private static void Set(ulong[] bitmap, ulong offset)
    {
        ulong page = offset >> Paging.PageShift;
        bitmap[page >> 6] |= 1UL << (int)(page & 63);
    }

    private ulong AnyPage() => _random.Pick<ulong>(s_windows) + _random.Pick<ulong>(s_offsets) * Page;

    private (ulong Gpa, ulong Length) AnyRange() =>
        (AnyStart(), _random.Pick<ulong>(s_lengths) * Page);

    private (ulong Gpa, ulong Length) AnyShortRange() =>
        (AnyStart(), _random.Pick<ulong>(s_lengths.AsSpan(0, 10)) * Page);

    private ulong AnyStart() => _random.OneIn(3) ? _random.Pick<ulong>(s_windows) : AnyPage();

    private ulong FrameFor(ulong gpa)
    {
        ulong run = _runs[(gpa >> Paging.WindowShift) & 1];
        if (_random.OneIn(12)) run = _runs[_random.Below(2)];
        return run + (gpa & Paging.WindowOffsetMask);
    }

    private LeafRequest AnyRequest()
    {
        Prot prot = _random.OneIn(3) ? (Prot)_random.Below(8) : Prot.All;
        Prot access = _random.Pick<Prot>([Prot.None, Prot.Read, Prot.Read, Prot.Write, Prot.Execute]);
        return new LeafRequest(prot, access, wired: _random.OneIn(8));
    }

    private void Describe(string operation) => _last = operation + ", " + _random;

    private static string Text(ModelLeaf? leaf) => leaf is null
        ? "nothing"
        : $"{leaf.Hpa:x} level {leaf.Level} {leaf.Prot} A{leaf.Accessed} M{leaf.Modified} W{leaf.Wired}";
}
