using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>One word for each level of a walk, the root's first.</summary>
[InlineArray(Paging.LevelsMax)]
[AllocationFree]
public struct WalkWords
{
    private ulong _first;
}

/// <summary>What a walk found.</summary>
/// <remarks>
/// On <see cref="WalkOutcome.Ok"/> the translation fields (<see cref="Hpa"/>, <see cref="LeafShift"/>,
/// <see cref="Granted"/>) hold; otherwise the fault fields do. The entries are those read up to the outcome, with the
/// accessed and dirty bits as the walk left them; in a two-dimensional walk they are the guest's.
/// </remarks>
[AllocationFree]
public struct WalkResult
{
    /// <summary>How the walk ended.</summary>
    public WalkOutcome Outcome;

    /// <summary>
    /// The accesses that may follow at this translation, by the same kind of requester, without another walk: a write
    /// is among them only when no dirty bit is left to set.
    /// </summary>
    public Prot Granted;

    /// <summary>log2 of the bytes around the address that translate alike: 12, 21, 22 or 30.</summary>
    public int LeafShift;

    /// <summary>Of a two-dimensional walk, log2 of the guest's own page, of which that run may be a part.</summary>
    public int GuestShift;

    /// <summary>How many of <see cref="Entries"/> and <see cref="Addresses"/> are set.</summary>
    public int EntryCount;

    /// <summary>Reads of table entries, nested ones included.</summary>
    public int Accesses;

    /// <summary>Exit qualification, EXITINFO1 or error code, as <see cref="Outcome"/> says; 0 on success.</summary>
    public ulong Info;

    /// <summary>The host-physical byte; on <see cref="WalkOutcome.Outside"/> the entry not in memory.</summary>
    public ulong Hpa;

    /// <summary>The guest-physical address of a nested outcome (EXITINFO2); not set by plain x86 walks.</summary>
    public ulong FaultGpa;

    /// <summary>The linear address of the access (CR2); not set by plain nested walks.</summary>
    public ulong FaultGva;

    /// <summary>The entries of the path.</summary>
    public WalkWords Entries;

    /// <summary>The host-physical addresses of <see cref="Entries"/>.</summary>
    public WalkWords Addresses;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Record(int index, ulong hpa, ulong entry)
    {
        Addresses[index] = hpa;
        Entries[index] = entry;
        EntryCount = index + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Translate(ulong hpa, int leafShift, Prot granted)
    {
        Outcome = WalkOutcome.Ok;
        Info = 0;
        Hpa = hpa;
        LeafShift = leafShift;
        Granted = granted;
    }

    internal void Fail(WalkOutcome outcome, ulong info)
    {
        Outcome = outcome;
        Info = info;
        Hpa = 0;
        LeafShift = 0;
        Granted = Prot.None;
    }

    internal void FailOutside(ulong hpa)
    {
        Fail(WalkOutcome.Outside, 0);
        Hpa = hpa;
    }
}
