using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>
/// What a processor does with page tables: follows them, checks every bit that it checks, sets the accessed and dirty
/// bits, and says which fault or exit the access causes.
/// </summary>
/// <remarks>
/// A walk reads at most one entry a level, so tables that loop or point anywhere cannot hold it; an entry outside the
/// memory ends it. Nothing is set before every check has passed. Bits are set by compare-and-swap against the entry
/// that was checked; when the entry changed meanwhile, the walk starts again. Another thread may change it, or the
/// walk itself where a nested entry is a guest's too, but that only while bits are left to set. The caller is inside a
/// consumer slot while the tables belong to a live pmap. No call allocates; all are safe from any thread.
/// <code>
///   Walk     one dimension     EPT, NPT or x86 tables in host-physical memory
///   Walk2D   two dimensions    x86 tables in guest-physical memory, found through EPT or NPT tables
///            up to 5 x (5 + 1) + 5 = 35 entries; 4 x (4 + 1) + 4 = 24 in the usual case
/// </code>
/// </remarks>
[AllocationFree]
public static unsafe partial class Walker
{
    /// <summary>Walks one set of tables.</summary>
    /// <param name="mem">The memory that the tables lie in.</param>
    /// <param name="f">The tables.</param>
    /// <param name="address">Guest-physical for nested tables, linear for x86; 32-bit tables use the low half.</param>
    /// <param name="access">The access; several bits together for a read-modify-write.</param>
    /// <param name="user">The access is a user's (CPL 3). Nested walks are always user walks and ignore it.</param>
    /// <param name="kind">What a nested walk translates; ignored for x86 tables.</param>
    /// <param name="r">The outcome; every field is set.</param>
    public static void Walk<TMem>(ref TMem mem, in WalkFormat f, ulong address, Prot access, bool user, WalkKind kind,
        out WalkResult r)
        where TMem : struct, IPhysicalMemory
    {
        r = default;
        if (f.Table >= WalkTable.Npt)
        {
            WalkNested(ref mem, in f, address, access, kind, ref r);
            return;
        }
        var tables = new DirectTables<TMem>(ref mem);
        WalkX86(ref tables, in f, address, access, user, ref r);
        if (r.Outcome != WalkOutcome.Ok) r.FaultGva = address;
    }

    /// <summary>Walks a guest's tables, which lie in guest-physical memory, and then the nested tables.</summary>
    /// <param name="mem">The memory that the nested tables and the guest's lie in.</param>
    /// <param name="nested">EPT or NPT tables.</param>
    /// <param name="guest">The guest's x86 tables, or unpaged.</param>
    /// <param name="gva">The linear address.</param>
    /// <param name="access">The access; several bits together for a read-modify-write.</param>
    /// <param name="user">The access is a user's (CPL 3).</param>
    /// <param name="r">
    /// The outcome; every field is set. Rights and leaf size are what both dimensions allow; a nested outcome names the
    /// guest-physical address in <see cref="WalkResult.FaultGpa"/>; the entries are the guest's.
    /// </param>
    /// <param name="gpa">The guest-physical address of the access, when the guest's own walk succeeded; else 0.</param>
    public static void Walk2D<TMem>(ref TMem mem, in WalkFormat nested, in WalkFormat guest, ulong gva, Prot access,
        bool user, out WalkResult r, out ulong gpa)
        where TMem : struct, IPhysicalMemory
    {
        Invariant.Assert(nested.Table >= WalkTable.Npt);
        Invariant.Assert(guest.Table < WalkTable.Npt);
        r = default;
        gpa = 0;
        var tables = new NestedTables<TMem>(ref mem, in nested);
        WalkX86(ref tables, in guest, gva, access, user, ref r);
        if (r.Outcome == WalkOutcome.Ok)
        {
            gpa = r.Hpa;
            Unsafe.SkipInit(out WalkResult final);
            final.Accesses = 0;
            WalkNested(ref mem, in nested, gpa, access, WalkKind.FinalAccess, ref final);
            r.GuestShift = r.LeafShift;
            Combine(ref r, in final);
        }
        if (r.Outcome != WalkOutcome.Ok) r.FaultGva = gva;
    }

    // The guest's leaf and the nested one: the smaller size, the common rights.
    private static void Combine(ref WalkResult r, in WalkResult final)
    {
        r.Accesses += final.Accesses;
        if (final.Outcome != WalkOutcome.Ok)
        {
            CopyFault(ref r, in final);
            return;
        }
        int leafShift = r.LeafShift < final.LeafShift ? r.LeafShift : final.LeafShift;
        r.Translate(final.Hpa, leafShift, r.Granted & final.Granted);
    }

    private static void CopyFault(ref WalkResult r, in WalkResult nested)
    {
        r.Fail(nested.Outcome, nested.Info);
        r.Hpa = nested.Hpa;
        r.FaultGpa = nested.FaultGpa;
    }

    // Accesses of r go on from what they are; the other fields are set by the outcome.
    private static void WalkNested<TMem>(ref TMem mem, in WalkFormat f, ulong gpa, Prot access, WalkKind kind,
        ref WalkResult r)
        where TMem : struct, IPhysicalMemory
    {
        if (f.Table == WalkTable.Ept)
        {
            // With the flags on, an access to a guest paging structure counts as a write: a violation has both bits
            // (SDM volume 3, "Accessed and Dirty Flags for EPT").
            if (kind == WalkKind.GuestPageTable && f.HasAccessedDirty) access = Prot.ReadWrite;
            WalkEpt(ref mem, in f, gpa, access, kind, ref r);
            return;
        }
        // A guest's paging structures are read as if written (APM volume 2, "Nested Table Walk").
        if (kind == WalkKind.GuestPageTable) access = Prot.Write;
        var tables = new DirectTables<TMem>(ref mem);
        WalkX86(ref tables, in f, gpa, access, user: true, ref r);
        if (r.Outcome == WalkOutcome.Ok) return;
        r.FaultGpa = gpa;
        if (r.Outcome != WalkOutcome.PageFault) return;
        r.Outcome = WalkOutcome.NestedFault;
        r.Info |= kind == WalkKind.FinalAccess ? WalkBits.ExitFinal : WalkBits.ExitGuestTable;
    }

    /// <summary>
    /// Sets bits in the entries of the path, from the root down: <paramref name="bits"/> in each from
    /// <paramref name="first"/> on, and <paramref name="leafBits"/>, which include them, in the last.
    /// </summary>
    /// <returns>False when an entry is no longer the one that was checked: the walk must start again.</returns>
    private static bool TrySetBits<TMem>(ref TMem mem, ref WalkResult r, int first, ulong bits, ulong leafBits)
        where TMem : struct, IPhysicalMemory
    {
        int leaf = r.EntryCount - 1;
        for (int i = first; i <= leaf; i++)
        {
            ulong entry = r.Entries[i];
            ulong wanted = i == leaf ? leafBits : bits;
            if ((entry & wanted) == wanted) continue;
            if (!mem.IsReadOnly)
            {
                bool isMapped = mem.TryMap(r.Addresses[i], sizeof(ulong), out byte* pointer);
                Invariant.Assert(isMapped);
                // Only these bits may differ from what was checked: another walk set them, or the same entry serves
                // two levels of this one.
                ulong seen = SetBits((ulong*)pointer, entry, wanted);
                while (seen != entry)
                {
                    if (((seen ^ entry) & ~leafBits) != 0) return false;
                    entry = seen;
                    if ((entry & wanted) == wanted) break;
                    seen = SetBits((ulong*)pointer, entry, wanted);
                }
            }
            r.Entries[i] = entry | wanted;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SetBits(ulong* cell, ulong entry, ulong wanted)
    {
        if (Planted.Is(PlantedFault.MarksByStore)) Shared.Store(cell, entry | wanted);
        else if (Planted.Is(PlantedFault.MarksByOr)) Shared.Or(cell, wanted);
        else if (!Planted.Is(PlantedFault.WalkIgnoresFailedSwap))
            return Shared.CompareExchange(cell, entry | wanted, entry);
        else Shared.CompareExchange(cell, entry | wanted, entry);
        return entry;
    }
}
