using System.Collections.Generic;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.Tests.Model;

/// <summary>One guest page of the model.</summary>
public sealed record ShadowPage(ShadowObject Memory, ulong Index, Prot Prot, Prot ProtMax)
{
    /// <summary>The bytes that must be there.</summary>
    public byte[] Bytes => Memory.Page(Index);
}

/// <summary>A guest's map as a dictionary of pages, and what a harvest must still report.</summary>
public sealed class ShadowGuest
{
    /// <summary>What is mapped, by page number.</summary>
    public Dictionary<ulong, ShadowPage> Pages { get; } = [];

    /// <summary>Private pages written since the last harvest that covered them.</summary>
    public HashSet<ulong> Written { get; } = [];

    /// <summary>Is no page of a range mapped?</summary>
    public bool IsFree(ulong first, ulong count)
    {
        for (ulong page = first; page < first + count; page++)
        {
            if (Pages.ContainsKey(page)) return false;
        }
        return true;
    }

    /// <summary>Is every page of a range mapped?</summary>
    public bool Covers(ulong first, ulong count)
    {
        for (ulong page = first; page < first + count; page++)
        {
            if (!Pages.ContainsKey(page)) return false;
        }
        return true;
    }

    /// <summary>What an access to a page must come to, were there frames without end.</summary>
    public FaultStatus Expect(ulong page, Prot access)
    {
        if (!Pages.TryGetValue(page, out ShadowPage? shown)) return FaultStatus.NoMapping;
        return (access & ~shown.Prot) != 0 ? FaultStatus.Protection : FaultStatus.Resolved;
    }

    /// <summary>Maps pages.</summary>
    public void Map(ulong first, ulong count, ShadowObject memory, ulong index, Prot prot, Prot protMax)
    {
        for (ulong i = 0; i < count; i++) Pages.Add(first + i, new ShadowPage(memory, index + i, prot, protMax));
    }

    /// <summary>Unmaps what is mapped of a range.</summary>
    public void Unmap(ulong first, ulong count)
    {
        for (ulong page = first; page < first + count; page++)
        {
            if (Pages.Remove(page, out ShadowPage? shown)) shown.Memory.Drop(shown.Index);
            Written.Remove(page);
        }
    }

    /// <summary>Moves a range.</summary>
    public void Move(ulong first, ulong count, ulong to)
    {
        for (ulong i = 0; i < count; i++)
        {
            Pages.Remove(first + i, out ShadowPage? shown);
            Pages.Add(to + i, shown!);
            if (Written.Remove(first + i)) Written.Add(to + i);
        }
    }

    /// <summary>Changes rights.</summary>
    public void Protect(ulong first, ulong count, Prot prot)
    {
        for (ulong page = first; page < first + count; page++) Pages[page] = Pages[page] with { Prot = prot };
    }

    /// <summary>The page was written through this guest.</summary>
    public void MarkWritten(ulong page)
    {
        ShadowPage shown = Pages[page];
        shown.Memory.MarkWritten(shown.Index);
        if (shown.Memory.IsPrivate && !shown.Memory.IsDevice) Written.Add(page);
    }
}
