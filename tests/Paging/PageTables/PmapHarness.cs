using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

/// <summary>What sinks were told, and the check that a modified bit reached its frame first.</summary>
internal sealed class SinkLog(Arena arena, Func<ulong> modified)
{
    public List<(ulong Gpa, ulong Entry, int Level)> Pages { get; } = [];

    public List<(ulong Gpa, ulong Entry, int Level)> Changes { get; } = [];

    public List<uint> Tables { get; } = [];

    public List<uint> Retired { get; } = [];

    public void Page(ulong gpa, ulong entry, int level)
    {
        RequireMarked(entry, level);
        Pages.Add((gpa, entry, level));
    }

    public void Changed(ulong gpa, ulong entry, int level) => Changes.Add((gpa, entry, level));

    public void TablePage(uint pfn) => Tables.Add(pfn);

    public void RetiredTable(uint pfn) => Retired.Add(pfn);

    /// <summary>What a shootdown does in the end: the table pages are free again.</summary>
    public void Release()
    {
        foreach (uint pfn in Tables) arena.Allocator.Give(pfn, 0);
        foreach (uint pfn in Retired) arena.Allocator.Give(pfn, 0);
        Pages.Clear();
        Changes.Clear();
        Tables.Clear();
        Retired.Clear();
    }

    private void RequireMarked(ulong entry, int level)
    {
        if ((entry & modified()) == 0 || (entry & PteFormat.Managed) == 0) return;
        uint count = 1U << (9 * (level - 1));
        uint first = (uint)((entry & 0xF_FFFF_FFFF_F000) >> Paging.PageShift) & ~(count - 1);
        for (uint i = 0; i < count; i++)
        {
            if (!arena.Frames.IsDirty(first + i)) Assert.Fail("The sink was told before frame " + (first + i) + ".");
        }
    }
}

/// <summary>Forwards to a log.</summary>
internal readonly struct LogSink(SinkLog log) : IRemovalSink
{
    public void Page(ulong gpa, ulong oldEntry, int level) => log.Page(gpa, oldEntry, level);

    public void Changed(ulong gpa, ulong oldEntry, int level) => log.Changed(gpa, oldEntry, level);

    public void TablePage(uint pfn) => log.TablePage(pfn);

    public void RetiredTable(uint pfn) => log.RetiredTable(pfn);
}

/// <summary>An arena, a pmap and a sink, and what a host and a processor would do with them.</summary>
internal sealed unsafe class PmapHarness : IDisposable
{
    public const ulong Page = Paging.PageBytes;
    public const ulong Mega2 = Paging.WindowBytes;
    public const ulong Giga = Paging.GigapageBytes;

    private readonly ulong _freeAtStart;
    private readonly PmapOptions _options;

    public PmapHarness(in PmapOptions options, ulong arenaBytes = 32UL << 20)
    {
        _options = options;
        Arena = new Arena(new ArenaOptions { Bytes = arenaBytes, PhysBits = Formats.PhysBits });
        _freeAtStart = Arena.Allocator.FreeFrames;
        Pmap = new Pmap(Arena, in options);
        Cache = new FrameCache(Arena);
        Log = new SinkLog(Arena, () => Pmap.Format.Modified);
    }

    public Arena Arena { get; }

    public Pmap Pmap { get; }

    public FrameCache Cache { get; }

    public SinkLog Log { get; }

    public LogSink Sink => new(Log);

    public PmapStatistics Statistics => Pmap.GetStatistics();

    /// <summary>No more than so many frames can be taken; negative for no limit.</summary>
    public void LimitFrames(int count)
    {
        Cache.Drain();
        Arena.Zeroed.Drain();
        Arena.Allocator.TestHookFailAfter = count;
    }

    /// <summary>Not one frame can be taken.</summary>
    public bool IsDry => Cache.Count == 0 && Arena.Zeroed.Stock == 0 && Arena.Allocator.TestHookFailAfter == 0;

    /// <summary>A run of 2^order frames in use as pages; its first byte.</summary>
    public ulong TakePages(int order)
    {
        uint pfn = Arena.Allocator.TryTake(order);
        Assert.That(pfn, Is.Not.Zero);
        for (uint i = 0; i < 1U << order; i++) Arena.Frames.ToPage(pfn + i, 1, i);
        return (ulong)pfn << Paging.PageShift;
    }

    public void GivePages(ulong hpa, int order)
    {
        for (uint i = 0; i < 1U << order; i++) Arena.Allocator.Give((uint)(hpa >> Paging.PageShift) + i, 0);
    }

    public PmapStatus Enter(ulong gpa, ulong hpa, in LeafRequest request)
    {
        LogSink sink = Sink;
        PmapStatus status = Pmap.LockWindow(gpa, Cache, out WindowLock window);
        if (status != PmapStatus.Ok) return status;
        status = Pmap.Enter(ref window, gpa, hpa, in request, Cache, ref sink);
        Pmap.Unlock(window);
        return status;
    }

    public PmapStatus Enter(ulong gpa, ulong hpa, Prot prot, Prot access) =>
        Enter(gpa, hpa, new LeafRequest(prot, access));

    public PmapStatus EnterRun(ulong gpa, ulong hpa, ulong pages, in LeafRequest request, out ulong entered)
    {
        LogSink sink = Sink;
        return Pmap.EnterRun(gpa, hpa, pages, in request, Cache, ref sink, out entered);
    }

    public PmapStatus EnterSuperpage(ulong gpa, ulong hpa, int level, in LeafRequest request)
    {
        LogSink sink = Sink;
        return Pmap.EnterSuperpage(gpa, hpa, level, in request, Cache, ref sink);
    }

    public void Remove(ulong gpa, ulong length)
    {
        LogSink sink = Sink;
        Pmap.Remove(gpa, length, Cache, ref sink);
    }

    public void Protect(ulong gpa, ulong length, Prot prot)
    {
        LogSink sink = Sink;
        Pmap.Protect(gpa, length, prot, Cache, ref sink);
    }

    public void RemoveWrite(ulong gpa, ulong length)
    {
        LogSink sink = Sink;
        Pmap.RemoveWrite(gpa, length, Cache, ref sink);
    }

    public PmapStatus Demote(ulong gpa)
    {
        LogSink sink = Sink;
        return Pmap.Demote(gpa, Cache, ref sink);
    }

    public ulong HarvestModified(ulong gpa, ulong length, bool clear, out ulong[] bitmap)
    {
        LogSink sink = Sink;
        bitmap = new ulong[((length >> Paging.PageShift) + 63) >> 6];
        fixed (ulong* words = bitmap) return Pmap.HarvestModified(gpa, length, words, clear, Cache, ref sink);
    }

    public ulong HarvestReferenced(ulong gpa, ulong length, bool clear, out ulong[] bitmap)
    {
        bitmap = new ulong[((length >> Paging.PageShift) + 63) >> 6];
        fixed (ulong* words = bitmap) return Pmap.HarvestReferenced(gpa, length, words, clear);
    }

    public ulong Entry(ulong gpa) => Pmap.Lookup(gpa, out _);

    public PromotionResult Promote(ulong gpa)
    {
        LogSink sink = Sink;
        return Pmap.Promote(gpa, Cache, ref sink);
    }

    public int LevelOf(ulong gpa)
    {
        ulong entry = Pmap.Lookup(gpa, out int level);
        return entry == 0 ? 0 : level;
    }

    /// <summary>What the processor does: walks, keeps its bits or faults; the emulation answers.</summary>
    /// <returns>False when the access is for the full fault path.</returns>
    public bool Access(ulong gpa, Prot access)
    {
        for (int attempt = 0; attempt < 3; attempt++)
        {
            WalkResult result = Walk(gpa, access);
            Assert.That(result.Outcome, Is.Not.EqualTo(WalkOutcome.Misconfiguration));
            Assert.That(result.Outcome, Is.Not.EqualTo(WalkOutcome.Outside));
            if (result.Outcome == WalkOutcome.Ok) return true;
            AdEmulation emulation = Pmap.EmulateAccess(gpa, access);
            if (emulation == AdEmulation.WriteParked) emulation = Pmap.EmulateParkedWrite(gpa, access, Cache);
            if (emulation is AdEmulation.NotEmulating or AdEmulation.NotMapped or AdEmulation.Denied) return false;
        }
        Assert.Fail("The emulation did not satisfy the processor.");
        return false;
    }

    /// <summary>One hardware walk.</summary>
    public WalkResult Walk(ulong gpa, Prot access)
    {
        const ulong LongModeActive = 1UL << 10, NoExecute = 1UL << 11;
        const ulong Paged = 1UL << 31 | 1UL << 16, Pae = 1UL << 5, FiveLevels = 1UL << 12;
        PteFormat f = Pmap.Format;
        var memory = new ArenaMemory(Arena.Base, Arena.Bytes);
        WalkFormat format = f.Kind switch
        {
            TableKind.Ept => WalkFormat.ForEpt(Pmap.RootRegister, f.PhysBits, _options.ExecOnly),
            TableKind.Rvi => WalkFormat.ForNpt(Pmap.RootRegister, f.PhysBits, f.Levels),
            _ => WalkFormat.ForX86(Paged, Pmap.RootRegister, Pae | (f.Levels == 5 ? FiveLevels : 0),
                LongModeActive | NoExecute, f.PhysBits),
        };
        Walker.Walk(ref memory, in format, gpa, access, user: true, WalkKind.FinalAccess, out WalkResult result);
        return result;
    }

    /// <summary>Everything that must hold of the pmap, and what its sinks were told is done with.</summary>
    public void Check()
    {
        Pmap.CheckConsistency();
        Log.Release();
    }

    /// <summary>Removes everything; then every table page but the top one is back.</summary>
    public void RemoveAll()
    {
        Remove(0, Pmap.GpaLimit);
        Check();
        PmapStatistics statistics = Statistics;
        Assert.That(statistics.ResidentPages, Is.Zero);
        Assert.That(statistics.WiredPages, Is.Zero);
        Assert.That(statistics.ReservePages, Is.Zero);
        Assert.That(statistics.TablePages, Is.EqualTo(1));
    }

    /// <summary>Frees the pmap; then the arena has every frame but those of <paramref name="held"/> pages.</summary>
    public void AssertNothingLeaked(ulong held)
    {
        Arena.Allocator.TestHookFailAfter = -1;
        Log.Release();
        Pmap.Dispose();
        Cache.Drain();
        Arena.Zeroed.Drain();
        Assert.That(Arena.Allocator.FreeFrames + held, Is.EqualTo(_freeAtStart));
    }

    public void Dispose()
    {
        Arena.Allocator.TestHookFailAfter = -1;
        Pmap.Dispose();
        Cache.Dispose();
        Arena.Dispose();
    }
}
