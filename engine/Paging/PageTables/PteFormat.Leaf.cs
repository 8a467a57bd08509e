using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

// Reading and composing entries. Everything here is arithmetic on one value; nothing touches memory.
public readonly partial struct PteFormat
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The entry is a leaf or points to a table.</summary>
    [MethodImpl(Inline)]
    public bool IsValid(ulong entry) => (entry & Valid) != 0;

    /// <summary>A valid entry of <paramref name="level"/> maps memory.</summary>
    [MethodImpl(Inline)]
    public bool IsLeaf(ulong entry, int level) => level == 1 || (entry & PageSize) != 0;

    /// <summary>Execution is allowed, as software sees it: also while the right is parked.</summary>
    [MethodImpl(Inline)]
    public bool IsExecutable(ulong entry) =>
        ExecSet != 0 ? (entry & (ExecSet | ExecParked)) != 0 : (entry & NoExecute) == 0;

    /// <summary>The host-physical address of the first byte that a leaf of <paramref name="level"/> maps.</summary>
    [MethodImpl(Inline)]
    public ulong LeafFrame(ulong entry, int level) => entry & Frame & ~((1UL << Paging.LevelShift(level)) - 1);

    /// <summary>The rights of a valid leaf, as software sees them.</summary>
    public Prot ProtOf(ulong entry)
    {
        Prot prot = Prot.None;
        if ((entry & Readable) != 0) prot |= Prot.Read;
        if ((entry & Writable) != 0) prot |= Prot.Write;
        return IsExecutable(entry) ? prot | Prot.Execute : prot;
    }

    /// <summary>A valid leaf allows every right of <paramref name="need"/>.</summary>
    [MethodImpl(Inline)]
    public bool Grants(ulong entry, Prot need)
    {
        ulong must = ((need & Prot.Read) != 0 ? Readable : 0) | ((need & Prot.Write) != 0 ? Writable : 0);
        return (entry & must) == must && ((need & Prot.Execute) == 0 || IsExecutable(entry));
    }

    /// <summary>As <see cref="Grants"/>, once the write right that a superpage has parked is given back.</summary>
    [MethodImpl(Inline)]
    public bool GrantsUnparked(ulong entry, Prot need) =>
        Grants((entry & WriteParked) != 0 ? entry | Writable : entry, need);

    /// <summary>An entry that points to the table at <paramref name="hpa"/> and grants everything.</summary>
    [MethodImpl(Inline)]
    public ulong TableEntry(ulong hpa)
    {
        Invariant.Assert((hpa & ~Frame) == 0);
        return hpa | Table;
    }

    /// <summary>The cache bits of a leaf of any level.</summary>
    /// <remarks>Only PAT indexes 0 and 3 are used, so the PAT bit, which moves between levels, is never set.</remarks>
    public ulong CacheBits(MemoryType type)
    {
        if (type == MemoryType.WriteBack) return _cacheWriteBack;
        if (type is MemoryType.Uncacheable or MemoryType.UncacheableMinus) return _cacheUncacheable;
        Invariant.Fail("A memory type that no mapping may have.");
        return 0;
    }

    /// <summary>
    /// The format has entries for these rights: writing needs reading, and reading may be missing only from an
    /// execute-only mapping where the processor has those (Intel SDM volume 3, "EPT misconfigurations").
    /// </summary>
    public bool CanExpress(Prot prot)
    {
        if ((prot & Prot.Read) != 0) return true;
        return prot == Prot.Execute && ExecOnly;
    }

    /// <summary>All but the frame of a new leaf of <paramref name="level"/>. Compute it once for a run.</summary>
    /// <returns>False if the rights cannot be expressed or the access is not among them.</returns>
    /// <remarks>
    /// A is set if there was an access or the entry is wired. M is set in a writable entry that was written, is wired,
    /// or is unmanaged (nobody asks whether device memory is dirty). A superpage is writable only with M; without, its
    /// write right is parked.
    /// </remarks>
    public bool TryLeafBits(in LeafRequest request, int level, out ulong bits)
    {
        Prot prot = request.Prot;
        Prot access = request.Wired ? prot : request.Access;
        bits = 0;
        if (!CanExpress(prot) || (access & ~prot) != 0) return false;

        bool writable = (prot & Prot.Write) != 0;
        bool modified = writable && ((access & Prot.Write) != 0 || !request.Managed);
        bool accessed = access != Prot.None || modified;
        bool parked = level > 1 && writable && !modified;

        bits = User | CacheBits(request.Uncached ? MemoryType.Uncacheable : MemoryType.WriteBack);
        if ((prot & Prot.Read) != 0) bits |= Readable;
        if ((prot & Prot.Execute) == 0) bits |= NoExecute;
        else bits |= accessed || ExecParked == 0 ? ExecSet : ExecParked;
        if (writable) bits |= parked ? WriteParked : Writable;
        if (accessed) bits |= Accessed;
        if (modified) bits |= Modified;
        if (request.Wired) bits |= Wired;
        if (request.Managed) bits |= Managed;
        if (level > 1) bits |= PageSize;
        return true;
    }

    /// <summary>The entry with A set, and X where hardware sees it.</summary>
    [MethodImpl(Inline)]
    public ulong WithAccessed(ulong entry)
    {
        ulong parked = entry & ExecParked;
        return (entry ^ parked) | Accessed | (parked >> ParkShift);
    }

    /// <summary>The entry with A clear; under emulation also M, and X parked.</summary>
    [MethodImpl(Inline)]
    public ulong WithoutAccessed(ulong entry)
    {
        ulong group = AccessedGroup;
        ulong parked = (entry & group & ExecSet) << ParkShift;
        return (entry & ~group) | parked;
    }

    /// <summary>A superpage's entry without M, and with its write right parked, if it had it.</summary>
    [MethodImpl(Inline)]
    public ulong WithWriteParked(ulong entry)
    {
        ulong parked = (entry & Writable) != 0 ? WriteParked : 0;
        return (entry & ~(Writable | Modified)) | parked;
    }

    /// <summary>The first of the 512 leaves of one level less that map the same as a superpage.</summary>
    public ulong Demoted(ulong entry, int level)
    {
        entry &= ~WindowLock;
        if (level > 2) return entry;    // A 2 MiB leaf keeps PS, and the PAT bit where superpages have it.
        ulong pat = (entry & _patSuperpage) != 0 ? _patPage : 0;
        ulong writable = (entry & WriteParked) != 0 ? Writable : 0;
        return (entry & ~(PageSize | _patSuperpage | WriteParked)) | pat | writable;
    }

    /// <summary>The superpage of level 2 that maps the same as 512 leaves of which this is the first.</summary>
    public ulong Promoted(ulong entry)
    {
        ulong pat = (entry & _patPage) != 0 ? _patSuperpage : 0;
        ulong superpage = (entry & ~_patPage) | pat | PageSize;
        return (entry & Modified) != 0 ? superpage : WithWriteParked(superpage);
    }

    /// <summary>A valid leaf that hardware accepts and that keeps the engine's rules.</summary>
    /// <remarks>
    /// M means A (emulated) and RW; RW means M on a superpage, which alone may park it; hardware never sees a write
    /// right without a read right, nor an execute right alone where the processor lacks that; the frame is aligned and
    /// below the address width.
    /// </remarks>
    public bool IsLegalLeaf(ulong entry, int level)
    {
        bool writable = (entry & Writable) != 0;
        bool modified = (entry & Modified) != 0;
        bool accessed = (entry & Accessed) != 0;
        ulong offsetBits = level == 1 ? 0 : ((1UL << Paging.LevelShift(level)) - 1) & ~Paging.PageOffsetMask;
        ulong cache = entry & (level == 1 ? CachePage : CacheSuperpage);

        if (!IsValid(entry)) return false;
        if ((entry & AddressField & ~Frame) != 0) return false;
        if ((entry & offsetBits & ~_patSuperpage) != 0) return false;
        if (level == 2 && !Superpages) return false;
        if (level == 3 && !Gigapages) return false;
        if (level > 1 && (entry & PageSize) == 0) return false;
        if (level > 1 && writable && !modified) return false;
        if ((entry & WriteParked) != 0 && (level == 1 || writable || (entry & Readable) == 0)) return false;
        if (cache != _cacheWriteBack && cache != _cacheUncacheable) return false;
        if (modified && !writable) return false;
        if (!CanExpress(ProtOf(entry))) return false;
        if (ExecSet != 0 && IsExecutable(entry) == ((entry & NoExecute) != 0)) return false;
        if (!EmulatesAd) return true;
        if (modified && !accessed) return false;
        return (entry & (accessed ? ExecParked : ExecSet)) == 0;
    }
}
