using Pagoda.Core;

namespace Pagoda.PageTables;

public static unsafe partial class Walker
{
    private const int LegacyIndexBits = 10;
    private const int LegacySuperpageShift = 22;

    // SDM volume 3, "32-Bit Paging". False: an entry changed under the walk.
    private static bool TryWalkLegacy<TTables>(ref TTables tables, in WalkFormat f, ulong address, Prot access,
        bool user, ref WalkResult r)
        where TTables : struct, ITables, allows ref struct
    {
        const ulong indexMask = (1UL << LegacyIndexBits) - 1;
        int shift = LegacySuperpageShift;
        ulong entryAddress = f.Root + ((address >> shift) * sizeof(uint));
        if (!tables.TryRead32(0, entryAddress, ref r, out ulong entry)) return true;
        bool isSuperpage = f.IsLeaf(entry, Paging.PdLevel);
        ulong reserved = isSuperpage ? f.Reserved(Paging.PdLevel, isLeaf: true) : 0;
        if (!CheckPresent(in f, entry, reserved, access, user, ref r)) return true;
        ulong common = entry;
        if (!isSuperpage)
        {
            shift = Paging.PageShift;
            entryAddress = (entry & LegacyFrameMask) + (((address >> shift) & indexMask) * sizeof(uint));
            if (!tables.TryRead32(1, entryAddress, ref r, out entry)) return true;
            if (!CheckPresent(in f, entry, reserved: 0, access, user, ref r)) return true;
            common &= entry;
        }

        Prot granted = GrantedX86(in f, common, any: 0, user);
        if ((access & ~granted) != 0)
        {
            FailX86(in f, access, user, WalkBits.ErrorPresent, ref r);
            return true;
        }
        ulong leafBits = X86Bits.Accessed | ((access & Prot.Write) != 0 ? X86Bits.Dirty : 0);
        bool isSet = ((common & X86Bits.Accessed) != 0) & ((entry & leafBits) == leafBits);
        if (!isSet)
        {
            if (!tables.TryMakeWritable(first: 0, X86Bits.Accessed, leafBits, ref r)) return true;
            if (!tables.TrySetBits32(first: 0, X86Bits.Accessed, leafBits, ref r)) return false;
        }
        if (((entry | leafBits) & X86Bits.Dirty) == 0) granted &= ~Prot.Write;
        ulong frame = isSuperpage ? SuperpageFrame(entry) : entry & LegacyFrameMask;
        r.Translate(frame | (address & ((1UL << shift) - 1)), shift, granted);
        return true;
    }

    private const ulong LegacyFrameMask = 0xFFFF_F000;

    // Bits 31:22 where they are, and address bits 39:32 from bits 20:13 (PSE-36).
    private static ulong SuperpageFrame(ulong entry)
    {
        ulong high = (entry >> WalkBits.Pse36Shift) & ((1UL << WalkBits.Pse36Bits) - 1);
        return (high << BitsOfUint) | ((entry >> LegacySuperpageShift) << LegacySuperpageShift);
    }

    private const int BitsOfUint = 32;

    // TrySetBits for 4-byte entries.
    private static bool TrySetBits32<TMem>(ref TMem mem, ref WalkResult r, int first, ulong bits, ulong leafBits)
        where TMem : struct, IPhysicalMemory
    {
        int leaf = r.EntryCount - 1;
        for (int i = first; i <= leaf; i++)
        {
            uint entry = (uint)r.Entries[i];
            uint wanted = (uint)(i == leaf ? leafBits : bits);
            if ((entry & wanted) == wanted) continue;
            if (!mem.IsReadOnly)
            {
                bool isMapped = mem.TryMap(r.Addresses[i], sizeof(uint), out byte* pointer);
                Invariant.Assert(isMapped);
                uint seen = Shared.CompareExchange((uint*)pointer, entry | wanted, entry);
                while (seen != entry)
                {
                    if (((seen ^ entry) & ~(uint)leafBits) != 0) return false;
                    entry = seen;
                    if ((entry & wanted) == wanted) break;
                    seen = Shared.CompareExchange((uint*)pointer, entry | wanted, entry);
                }
            }
            r.Entries[i] = entry | wanted;
        }
        return true;
    }
}
