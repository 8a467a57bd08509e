using System;
using System.Collections.Generic;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>One leaf of the model. A superpage's pages share one object.</summary>
internal sealed class ModelLeaf
{
    public ulong Gpa;
    public ulong Hpa;
    public int Level = 1;
    public Prot Prot;
    public bool Accessed;
    public bool Modified;
    public bool Wired;
    public bool Parked;     // a superpage's write right

    public ulong Bytes => 1UL << Paging.LevelShift(Level);

    public ModelLeaf At(ulong offset) => new()
    {
        Gpa = Gpa + offset, Hpa = Hpa + offset, Prot = Parked ? Prot | Prot.Write : Prot,
        Accessed = Accessed, Modified = Modified, Wired = Wired,
    };
}

/// <summary>
/// What a pmap should do, over a dictionary of pages: no tables, no bits, no frames for tables. Where an outcome
/// depends on whether a frame could be had, the caller says which it was.
/// </summary>
internal sealed class PmapModel(PteFormat format)
{
    private readonly bool _emulates = format.EmulatesAd;

    /// <summary>Page number to the leaf that maps it.</summary>
    public Dictionary<ulong, ModelLeaf> Pages { get; } = [];

    /// <summary>Frames with the dirty flag.</summary>
    public HashSet<ulong> Dirty { get; } = [];

    /// <summary>Frames with the written mark.</summary>
    public HashSet<ulong> Written { get; } = [];

    /// <summary>Leaves removed by the last operation: address and level.</summary>
    public HashSet<(ulong Gpa, int Level)> Removed { get; } = [];

    public ModelLeaf? Find(ulong gpa) => Pages.GetValueOrDefault(gpa >> Paging.PageShift);

    /// <summary>Leaves that a range touches, in order of address.</summary>
    public List<ModelLeaf> Touched(ulong gpa, ulong length)
    {
        var leaves = new HashSet<ModelLeaf>();
        ulong end = length > ulong.MaxValue - gpa ? ulong.MaxValue : gpa + length;
        foreach ((ulong page, ModelLeaf leaf) in Pages)
        {
            ulong at = page << Paging.PageShift;
            if (at >= gpa && at < end) leaves.Add(leaf);
        }
        var sorted = new List<ModelLeaf>(leaves);
        sorted.Sort((a, b) => a.Gpa.CompareTo(b.Gpa));
        return sorted;
    }

    public static bool Covers(ulong gpa, ulong length, ModelLeaf leaf) =>
        leaf.Gpa >= gpa && leaf.Gpa + leaf.Bytes - gpa <= length;

    public void Demote(ModelLeaf leaf)
    {
        for (ulong offset = 0; offset < leaf.Bytes; offset += Paging.PageBytes)
            Pages[(leaf.Gpa + offset) >> Paging.PageShift] = leaf.At(offset);
    }

    public void Remove(ModelLeaf leaf)
    {
        if (leaf.Modified) Mark(leaf);
        for (ulong offset = 0; offset < leaf.Bytes; offset += Paging.PageBytes)
            Pages.Remove((leaf.Gpa + offset) >> Paging.PageShift);
        Removed.Add((leaf.Gpa, leaf.Level));
    }

    /// <summary>Runs an action on every leaf of a range; superpages that it covers in part and that are affected are
    /// demoted first, or, where <paramref name="undemoted"/> says so, removed.</summary>
    public void ForRange(ulong gpa, ulong length, Func<ModelLeaf, bool> affects, Func<ModelLeaf, bool> undemoted,
        Action<ModelLeaf> action)
    {
        foreach (ModelLeaf leaf in Touched(gpa, length))
        {
            if (!affects(leaf)) continue;
            if (Covers(gpa, length, leaf))
            {
                action(leaf);
            }
            else if (undemoted(leaf))
            {
                Remove(leaf);
            }
            else
            {
                Demote(leaf);
                foreach (ModelLeaf part in Touched(gpa, length))
                {
                    if (part.Gpa >= leaf.Gpa && part.Gpa < leaf.Gpa + leaf.Bytes) action(part);
                }
            }
        }
    }

    /// <summary>One page. The demotion it may need has succeeded.</summary>
    public PmapStatus Enter(ulong gpa, ulong hpa, in LeafRequest request)
    {
        Prot access = request.Wired ? request.Prot : request.Access;
        if (!format.CanExpress(request.Prot) || (access & ~request.Prot) != 0) return PmapStatus.Denied;
        ModelLeaf? old = Find(gpa);
        if (old is null)
        {
            Pages[gpa >> Paging.PageShift] = New(gpa, hpa, 1, in request);
            return PmapStatus.Ok;
        }
        if (old.Hpa + (gpa - old.Gpa) != hpa) return PmapStatus.Occupied;
        if (old.Level == 1) return Replace(old, in request);
        if ((old.Wired || !request.Wired) && (request.Access & ~old.Prot) == 0)
        {
            if (request.Access == Prot.None || old.Accessed) return PmapStatus.Unchanged;
            old.Accessed = true;
            return PmapStatus.Ok;
        }
        Demote(old);
        Replace(Find(gpa)!, in request);
        return PmapStatus.Ok;
    }

    public PmapStatus EnterSuperpage(ulong gpa, ulong hpa, in LeafRequest request)
    {
        Prot access = request.Wired ? request.Prot : request.Access;
        if (!format.CanExpress(request.Prot) || (access & ~request.Prot) != 0) return PmapStatus.Denied;
        List<ModelLeaf> there = Touched(gpa, Paging.WindowBytes);
        if (there.Count == 0)
        {
            ModelLeaf leaf = New(gpa, hpa, 2, in request);
            for (ulong offset = 0; offset < Paging.WindowBytes; offset += Paging.PageBytes)
                Pages[(gpa + offset) >> Paging.PageShift] = leaf;
            return PmapStatus.Ok;
        }
        if (there[0].Level == 1 || there[0].Hpa != hpa) return PmapStatus.Occupied;
        return Replace(there[0], in request);
    }

    public bool Access(ulong gpa, Prot access)
    {
        ModelLeaf? leaf = Find(gpa);
        if (leaf is null) return false;
        bool unparks = _emulates && leaf.Parked && (access & Prot.Write) != 0;
        if ((access & ~(unparks ? leaf.Prot | Prot.Write : leaf.Prot)) != 0) return false;
        if (unparks)
        {
            Demote(leaf);
            leaf = Find(gpa)!;
        }
        leaf.Accessed = true;
        leaf.Modified |= (access & Prot.Write) != 0;
        return true;
    }

    public bool ClearReferenced(ModelLeaf? leaf)
    {
        if (leaf is null || !leaf.Accessed) return false;
        if (_emulates && leaf.Wired) return true;
        leaf.Accessed = false;
        if (!_emulates || !leaf.Modified) return true;
        leaf.Modified = false;
        Park(leaf);
        Mark(leaf);
        return true;
    }

    public void Strip(ModelLeaf leaf, Prot keep)
    {
        leaf.Prot &= keep;
        if ((keep & Prot.Write) == 0) leaf.Parked = false;
        if (leaf.Prot == Prot.None)
        {
            Remove(leaf);
            return;
        }
        if ((keep & Prot.Write) != 0 || !leaf.Modified) return;
        leaf.Modified = false;
        Mark(leaf);
    }

    public void ClearModified(ModelLeaf leaf)
    {
        if (!leaf.Modified) return;
        leaf.Modified = false;
        Park(leaf);
        Mark(leaf);
    }

    public bool IsWiredFor(ModelLeaf leaf, Prot prot) => leaf.Wired && (prot & ~leaf.Prot) == 0
        && (leaf.Modified || !_emulates || (prot & Prot.Write) == 0);

    public void Wire(ModelLeaf leaf, Prot prot)
    {
        if (IsWiredFor(leaf, prot)) return;
        leaf.Prot |= prot;
        leaf.Wired = true;
        leaf.Accessed = true;
        if (leaf.Parked) leaf.Prot |= Prot.Write;
        leaf.Parked = false;
        leaf.Modified |= (leaf.Prot & Prot.Write) != 0;
    }

    /// <summary>512 leaves that agree become one.</summary>
    public PromotionResult Promote(ulong gpa)
    {
        ulong window = gpa & ~(ulong)Paging.WindowOffsetMask;
        List<ModelLeaf> there = Touched(window, Paging.WindowBytes);
        if (there.Count != Paging.WindowPages) return PromotionResult.NotEligible;
        ModelLeaf first = there[0];
        bool inPlace = (first.Hpa & Paging.WindowOffsetMask) == 0;
        bool accessed = true;
        bool same = true;
        foreach (ModelLeaf leaf in there)
        {
            inPlace &= leaf.Hpa - first.Hpa == leaf.Gpa - window;
            accessed &= leaf.Accessed;
            same &= leaf.Prot == first.Prot && leaf.Modified == first.Modified && leaf.Wired == first.Wired;
        }
        if (!inPlace) return PromotionResult.Scattered;
        if (!accessed) return PromotionResult.NotAccessed;
        if (!same) return PromotionResult.Different;
        first.Level = 2;
        if (!first.Modified) Park(first);
        foreach (ModelLeaf leaf in there) Pages[leaf.Gpa >> Paging.PageShift] = first;
        return PromotionResult.Promoted;
    }

    private static ModelLeaf New(ulong gpa, ulong hpa, int level, in LeafRequest request)
    {
        bool modified = (request.Prot & Prot.Write) != 0 && (request.Wired || (request.Access & Prot.Write) != 0);
        return new ModelLeaf
        {
            Gpa = gpa,
            Hpa = hpa,
            Level = level,
            Prot = level > 1 && !modified ? request.Prot & ~Prot.Write : request.Prot,
            Parked = level > 1 && !modified && (request.Prot & Prot.Write) != 0,
            Accessed = request.Wired || request.Access != Prot.None,
            Modified = modified,
            Wired = request.Wired,
        };
    }

    private PmapStatus Replace(ModelLeaf old, in LeafRequest request)
    {
        ModelLeaf next = New(old.Gpa, old.Hpa, old.Level, in request);
        bool kept = old.Modified && (request.Prot & Prot.Write) != 0;
        if (old.Modified && !kept) Mark(old);
        next.Accessed |= old.Accessed;
        next.Modified |= kept;
        next.Wired |= old.Wired;
        if (kept) next.Prot |= Prot.Write;
        if (kept) next.Parked = false;
        bool same = next.Prot == old.Prot && next.Accessed == old.Accessed && next.Modified == old.Modified
            && next.Wired == old.Wired && next.Parked == old.Parked;
        old.Parked = next.Parked;
        (old.Prot, old.Accessed, old.Modified, old.Wired) = (next.Prot, next.Accessed, next.Modified, next.Wired);
        return same ? PmapStatus.Unchanged : PmapStatus.Ok;
    }

    private static void Park(ModelLeaf leaf)
    {
        if (leaf.Level == 1) return;
        leaf.Parked |= (leaf.Prot & Prot.Write) != 0;
        leaf.Prot &= ~Prot.Write;
    }

    private void Mark(ModelLeaf leaf)
    {
        for (ulong offset = 0; offset < leaf.Bytes; offset += Paging.PageBytes)
        {
            Dirty.Add((leaf.Hpa + offset) >> Paging.PageShift);
            Written.Add((leaf.Hpa + offset) >> Paging.PageShift);
        }
    }
}
