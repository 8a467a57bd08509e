using System;
using System.Collections.Generic;
using System.Globalization;
using NUnit.Framework;
using Pagoda.PageTables;

namespace Pagoda.Tests.Oracle;

/// <summary>Every recorded vector, walked again: no disagreement but the listed quirks of the emulators.</summary>
public sealed class WalkVectorReplayTests
{
    private const int VectorsMin = 40_000;
    private const int ReportsMax = 10;

    private readonly PathMemory _memory = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _disagreements = [];
    private readonly List<string> _applied = [];
    private int _total;
    private int _disagreeing;

    [OneTimeTearDown]
    public void Dispose() => _memory.Dispose();

    [Test]
    public void EveryVectorIsWalkedAsRecorded()
    {
        foreach (VectorKind kind in Enum.GetValues<VectorKind>())
        {
            foreach (WalkVector v in VectorFile.Read(kind)) Replay(in v);
        }
        foreach ((string what, int count) in _counts)
        {
            TestContext.Out.WriteLine(count.ToString(CultureInfo.InvariantCulture).PadLeft(7) + "  " + what);
        }
        TestContext.Out.WriteLine(_total.ToString(CultureInfo.InvariantCulture).PadLeft(7) + "  in all");
        Assert.That(_disagreeing, Is.Zero, string.Join(Environment.NewLine, _disagreements));
        Assert.That(_total, Is.AtLeast(VectorsMin));
        foreach (Quirk quirk in Quirk.All) Assert.That(_counts, Does.ContainKey(quirk.Name), "the quirk is not seen");
    }

    private void Replay(in WalkVector v)
    {
        _total++;
        Count(v.Group.Title);
        if (v.IsGuestTable) Count("accesses to guest page tables, " + v.Group.Kind);
        if (!Agrees(in v, out Prediction p)) Report(v + Environment.NewLine + "    walker: " + p);
    }

    // As the manuals say; else bent by the quirks in turn; else the same without the bits that an emulator ignores.
    private bool Agrees(in WalkVector v, out Prediction p)
    {
        p = Prediction.Of(in v, in v, _memory);
        if (p.Matches(in v)) return true;
        _applied.Clear();
        if (AgreesBent(in v, p)) return true;
        _applied.Clear();
        WalkVector masked = v;
        for (int i = 0; i < v.PathLength; i++)
        {
            foreach (Quirk quirk in Quirk.All)
            {
                ulong ignored = v.Before[i] & (quirk.Ignored?.Invoke(in v, v.Before[i], v.Group.Levels - i) ?? 0);
                masked.Before[i] &= ~ignored;
                if (ignored != 0 && !_applied.Contains(quirk.Name)) _applied.Add(quirk.Name);
            }
        }
        return _applied.Count != 0 && AgreesBent(in v, Prediction.Of(in v, in masked, _memory));
    }

    private bool AgreesBent(in WalkVector v, Prediction p)
    {
        bool matches = p.Matches(in v);
        foreach (Quirk quirk in Quirk.All)
        {
            if (matches) break;
            if (quirk.Bend is null || !quirk.Bend(in v, ref p)) continue;
            _applied.Add(quirk.Name);
            matches = p.Matches(in v);
        }
        if (!matches) return false;
        foreach (string name in _applied) Count(name);
        return true;
    }

    private void Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    private void Report(string text)
    {
        _disagreeing++;
        if (_disagreements.Count < ReportsMax) _disagreements.Add(text);
    }
}
