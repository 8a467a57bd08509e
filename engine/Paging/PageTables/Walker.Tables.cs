using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

public static unsafe partial class Walker
{
    // Where the tables of an x86 walk are: in memory, or in guest-physical memory behind a nested walk.
    private interface ITables
    {
        // Reads the entry at a table address and records it at an index; false: r holds the outcome.
        bool TryRead(int index, ulong address, bool isPdpte, ref WalkResult r, out ulong entry);

        // The same for a 4-byte entry.
        bool TryRead32(int index, ulong address, ref WalkResult r, out ulong entry);

        // Asks for the right to set bits in the entries from first on; false: r holds the outcome.
        bool TryMakeWritable(int first, ulong bits, ulong leafBits, ref WalkResult r);

        // Sets them; false: an entry changed since it was read.
        bool TrySetBits(int first, ulong bits, ulong leafBits, ref WalkResult r);

        bool TrySetBits32(int first, ulong bits, ulong leafBits, ref WalkResult r);
    }

    [AllocationFree]
    private readonly ref struct DirectTables<TMem>(ref TMem mem) : ITables
        where TMem : struct, IPhysicalMemory
    {
        private readonly ref TMem _mem = ref mem;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool TryRead(int index, ulong address, bool isPdpte, ref WalkResult r, out ulong entry)
        {
            if (!_mem.TryMap(address, sizeof(ulong), out byte* pointer))
            {
                entry = 0;
                r.FailOutside(address);
                return false;
            }
            entry = Shared.Load((ulong*)pointer);
            r.Record(index, address, entry);
            return true;
        }

        public bool TryRead32(int index, ulong address, ref WalkResult r, out ulong entry)
        {
            if (!_mem.TryMap(address, sizeof(uint), out byte* pointer))
            {
                entry = 0;
                r.FailOutside(address);
                return false;
            }
            entry = Shared.Load((uint*)pointer);
            r.Record(index, address, entry);
            return true;
        }

        public bool TryMakeWritable(int first, ulong bits, ulong leafBits, ref WalkResult r) => true;

        public bool TrySetBits(int first, ulong bits, ulong leafBits, ref WalkResult r) =>
            Walker.TrySetBits(ref _mem, ref r, first, bits, leafBits);

        public bool TrySetBits32(int first, ulong bits, ulong leafBits, ref WalkResult r) =>
            Walker.TrySetBits32(ref _mem, ref r, first, bits, leafBits);
    }

    // Guest tables. Their addresses are guest-physical: each is walked before it is read.
    [AllocationFree]
    private ref struct NestedTables<TMem>(ref TMem mem, ref readonly WalkFormat nested) : ITables
        where TMem : struct, IPhysicalMemory
    {
        private readonly ref TMem _mem = ref mem;
        private readonly ref readonly WalkFormat _nested = ref nested;
        private WalkWords _gpas;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool TryRead(int index, ulong address, bool isPdpte, ref WalkResult r, out ulong entry)
        {
            entry = 0;
            bool isFound =
                TryTranslate(index, address, isPdpte, sizeof(ulong), ref r, out ulong hpa, out byte* pointer);
            if (!isFound) return false;
            entry = Shared.Load((ulong*)pointer);
            r.Record(index, hpa, entry);
            return true;
        }

        public bool TryRead32(int index, ulong address, ref WalkResult r, out ulong entry)
        {
            entry = 0;
            bool isFound = TryTranslate(index, address, false, sizeof(uint), ref r, out ulong hpa, out byte* pointer);
            if (!isFound) return false;
            entry = Shared.Load((uint*)pointer);
            r.Record(index, hpa, entry);
            return true;
        }

        // Only EPT without accessed and dirty flags lets a guest's tables be read that may not be written. Setting a
        // bit is a locked read-modify-write, so the violation has both bits.
        public bool TryMakeWritable(int first, ulong bits, ulong leafBits, ref WalkResult r)
        {
            if (_nested.Table != WalkTable.Ept || _nested.HasAccessedDirty) return true;
            int leaf = r.EntryCount - 1;
            for (int i = first; i <= leaf; i++)
            {
                ulong wanted = i == leaf ? leafBits : bits;
                if ((r.Entries[i] & wanted) == wanted) continue;
                Unsafe.SkipInit(out WalkResult walk);
                walk.Accesses = 0;
                WalkEpt(ref _mem, in _nested, _gpas[i], Prot.ReadWrite, WalkKind.GuestPageTable, ref walk);
                if (walk.Outcome == WalkOutcome.Ok) continue;
                CopyFault(ref r, in walk);
                return false;
            }
            return true;
        }

        public bool TrySetBits(int first, ulong bits, ulong leafBits, ref WalkResult r) =>
            Walker.TrySetBits(ref _mem, ref r, first, bits, leafBits);

        public bool TrySetBits32(int first, ulong bits, ulong leafBits, ref WalkResult r) =>
            Walker.TrySetBits32(ref _mem, ref r, first, bits, leafBits);

        private bool TryTranslate(int index, ulong gpa, bool isPdpte, int bytes, ref WalkResult r,
            out ulong hpa, out byte* pointer)
        {
            Unsafe.SkipInit(out WalkResult walk);
            walk.Accesses = 0;
            // To EPT, loading a PDPTE of PAE is a read (SDM volume 3, "Accessed and Dirty Flags for EPT").
            if (isPdpte && _nested.Table == WalkTable.Ept)
            {
                WalkEpt(ref _mem, in _nested, gpa, Prot.Read, WalkKind.GuestPageTable, ref walk);
            }
            else
            {
                WalkNested(ref _mem, in _nested, gpa, Prot.Read, WalkKind.GuestPageTable, ref walk);
            }
            r.Accesses += walk.Accesses;
            hpa = walk.Hpa;
            pointer = null;
            if (walk.Outcome != WalkOutcome.Ok)
            {
                CopyFault(ref r, in walk);
                return false;
            }
            _gpas[index] = gpa;
            if (_mem.TryMap(hpa, bytes, out pointer)) return true;
            r.FailOutside(hpa);
            r.FaultGpa = gpa;
            return false;
        }
    }
}
