using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

public static unsafe partial class Walker
{
    private static void WalkX86<TTables>(ref TTables tables, in WalkFormat f, ulong address, Prot access, bool user,
        ref WalkResult r)
        where TTables : struct, ITables, allows ref struct
    {
        switch (f.Table)
        {
            case WalkTable.X86Long:
                int signShift = BitsOfUlong - f.AddressBits;
                if (((long)(address << signShift) >> signShift) != (long)address)
                {
                    r.Fail(WalkOutcome.GeneralProtection, 0);
                    return;
                }
                break;
            case WalkTable.Npt:
                // A guest-physical address has no sign: what is above the tables' reach is not present.
                if (address >> f.AddressBits != 0)
                {
                    FailX86(in f, access, user, 0, ref r);
                    return;
                }
                break;
            case WalkTable.Unpaged:
                r.Translate(address & uint.MaxValue, Paging.GigapageShift, Prot.All);
                return;
            default:
                address &= uint.MaxValue;
                break;
        }
        bool isDone;
        do
        {
            r.EntryCount = 0;
            isDone = f.Table == WalkTable.X86Legacy
                ? TryWalkLegacy(ref tables, in f, address, access, user, ref r)
                : TryWalkLong(ref tables, in f, address, access, user, ref r);
            r.Accesses += r.EntryCount;
        }
        while (!isDone);
    }

    // SDM volume 3, "4-Level Paging and 5-Level Paging", "PAE Paging"; APM volume 2, "Long-Mode Page Translation".
    // False: an entry changed under the walk.
    private static bool TryWalkLong<TTables>(ref TTables tables, in WalkFormat f, ulong address, Prot access, bool user,
        ref WalkResult r)
        where TTables : struct, ITables, allows ref struct
    {
        int first = 0;
        int index = 0;
        ulong table = f.Root;
        ulong common = ~0UL;
        ulong any = 0;
        ulong entry;
        int level = f.Levels;
        int shift = Paging.LevelShift(level);
        if (f.Table == WalkTable.X86Pae)
        {
            // A PDPTE has neither rights nor an accessed bit, and counts as a plain read.
            table += (address >> shift) * sizeof(ulong);
            if (!tables.TryRead(index++, table, isPdpte: true, ref r, out entry)) return true;
            if (!CheckPresent(in f, entry, f.Reserved(level, isLeaf: false), access, user, ref r)) return true;
            table = entry & WalkFormat.FrameMask;
            level--;
            shift -= Paging.IndexBits;
            first = index;
        }
        while (true)
        {
            ulong entryAddress = table + (((address >> shift) & (Paging.EntriesPerTable - 1)) * sizeof(ulong));
            if (!tables.TryRead(index++, entryAddress, isPdpte: false, ref r, out entry)) return true;
            bool isLeaf = f.IsLeaf(entry, level);
            if (!CheckPresent(in f, entry, f.Reserved(level, isLeaf), access, user, ref r)) return true;
            common &= entry;
            any |= entry;
            if (isLeaf) break;
            table = entry & WalkFormat.FrameMask;
            level--;
            shift -= Paging.IndexBits;
        }

        Prot granted = GrantedX86(in f, common, any, user);
        if ((access & ~granted) != 0)
        {
            FailX86(in f, access, user, WalkBits.ErrorPresent, ref r);
            return true;
        }
        ulong leafBits = X86Bits.Accessed | ((access & Prot.Write) != 0 ? X86Bits.Dirty : 0);
        bool isSet = ((common & X86Bits.Accessed) != 0) & ((entry & leafBits) == leafBits);
        if (!isSet)
        {
            if (!tables.TryMakeWritable(first, X86Bits.Accessed, leafBits, ref r)) return true;
            if (!tables.TrySetBits(first, X86Bits.Accessed, leafBits, ref r)) return false;
        }
        if (((entry | leafBits) & X86Bits.Dirty) == 0) granted &= ~Prot.Write;
        ulong offset = address & ((1UL << shift) - 1);
        r.Translate((entry & WalkFormat.FrameMask & ~((1UL << shift) - 1)) | offset, shift, granted);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool CheckPresent(in WalkFormat f, ulong entry, ulong reserved, Prot access, bool user,
        ref WalkResult r)
    {
        if ((entry & (reserved | X86Bits.Present)) == X86Bits.Present) return true;
        bool isPresent = (entry & X86Bits.Present) != 0;
        FailX86(in f, access, user, isPresent ? WalkBits.ErrorPresent | WalkBits.ErrorReserved : 0, ref r);
        return false;
    }

    // SDM volume 3, "Access Rights". common: the bits that all entries have; any: those that one has.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Prot GrantedX86(in WalkFormat f, ulong common, ulong any, bool user)
    {
        bool isUserPage = (common & X86Bits.User) != 0;
        bool isWritable = (common & X86Bits.Writable) != 0;
        bool isFetchable = (any & X86Bits.NoExecute) == 0;
        if (user)
        {
            if (!isUserPage) return Prot.None;
        }
        else
        {
            isWritable |= !f.WriteProtect;
            isFetchable &= !(isUserPage && f.Smep);
            if (isUserPage && f.Smap && !f.AlignmentCheck) return isFetchable ? Prot.Execute : Prot.None;
        }
        return Prot.Read | (isWritable ? Prot.Write : Prot.None) | (isFetchable ? Prot.Execute : Prot.None);
    }

    // SDM volume 3, "Page-Fault Exceptions": I/D is reported where fetches can be told apart.
    private static void FailX86(in WalkFormat f, Prot access, bool user, ulong code, ref WalkResult r)
    {
        if ((access & Prot.Write) != 0) code |= WalkBits.ErrorWrite;
        if (user) code |= WalkBits.ErrorUser;
        if ((access & Prot.Execute) != 0 && (f.HasNoExecute || f.Smep)) code |= WalkBits.ErrorFetch;
        r.Fail(WalkOutcome.PageFault, code);
    }

    private const int BitsOfUlong = 64;
}
