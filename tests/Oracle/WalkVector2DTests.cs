using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.Oracle;

/// <summary>The recorded vectors as parts of two-dimensional walks.</summary>
public sealed class WalkVector2DTests
{
    private const int LevelsOfGuest = 4;
    private const ulong X86Accessed = 1 << 5;
    private const ulong GuestEntry = 7;
    private const ulong Readable = 1 << 3;
    private const ulong Offset = 0x123;

    private readonly PathMemory _memory = new();

    [OneTimeTearDown]
    public void Dispose() => _memory.Dispose();

    /// <remarks>
    /// The vector's address holds a guest entry that is its own table at every level, so that a whole two-dimensional
    /// walk meets the one nested path of the vector and nothing else.
    /// </remarks>
    [Test]
    public void GuestTablesAreReachedThroughTheNestedPath([Values(VectorKind.Ept, VectorKind.Npt)] VectorKind kind)
    {
        int walks = 0;
        foreach (WalkVector v in VectorFile.Read(kind))
        {
            if (!v.IsGuestTable) continue;
            Prediction p = Prediction.Of(in v, in v, _memory);
            bool isSplit = v.Op == VectorOp.GuestTableSetsAccessed && !v.Group.AccessedDirty;
            // Where the entry cannot even be read, its write is not tried.
            if (isSplit && p.Outcome == WalkOutcome.Violation && (p.Info & Readable) == 0) p.Info &= ~(ulong)Prot.Write;
            WalkWords addresses = _memory.PutPath(in v);
            bool isRead = p.Outcome == WalkOutcome.Ok || (isSplit && (p.Info & Readable) != 0);
            if (isRead && _memory.Holds(v.Hpa)) continue;
            ulong accessed = v.Op == VectorOp.GuestTable ? X86Accessed : 0;
            if (isRead) _memory.Put(v.Hpa, GuestPage(in v) | GuestEntry | accessed);
            WalkResult r = WalkGuest(in v, out ulong gva);
            walks++;

            bool isRight = r.Outcome == p.Outcome && r.Info == p.Info;
            for (int i = 0; i < v.PathLength; i++)
            {
                isRight &= (_memory.At(addresses[i]) ^ v.Before[i]) == p.Changed[i];
            }
            if (p.Outcome == WalkOutcome.Ok)
            {
                isRight &= r.Hpa == (v.Hpa & ~Paging.PageOffsetMask) + Offset;
                isRight &= (_memory.At(v.Hpa) & X86Accessed) != 0;
                isRight &= r.Accesses == LevelsOfGuest * (v.PathLength + 1) + v.PathLength;
            }
            else
            {
                isRight &= r.FaultGpa == v.Address && r.FaultGva == gva;
            }
            Assert.That(isRight, Is.True, () => v + Environment.NewLine + p + Environment.NewLine + r.Outcome + " "
                + r.Info);
        }
        Assert.That(walks, Is.GreaterThan(1000));
    }

    /// <remarks>The nested tables map each guest-physical address to itself.</remarks>
    [Test]
    public void GuestWalksThroughAnIdentityAreWalksOfTheGuest()
    {
        foreach (WalkVector v in VectorFile.Read(VectorKind.X86))
        {
            WalkFormat guest = v.Format();
            _memory.PutPath(in v);
            PathMemory.View plain = _memory.Memory;
            Walker.Walk(ref plain, in guest, v.Address, v.Access, v.IsUser, WalkKind.FinalAccess, out WalkResult one);

            _memory.PutPath(in v);
            ulong scratch = 0;
            IdentityMemory memory;
            unsafe
            {
                memory = new IdentityMemory(_memory.Memory, &scratch);
            }
            WalkFormat nested = WalkFormat.ForEpt(IdentityMemory.Root, IdentityMemory.PhysBits);
            Walker.Walk2D(ref memory, in nested, in guest, v.Address, v.Access, v.IsUser, out WalkResult two, out _);

            bool isRight = two.Outcome == one.Outcome && two.Info == one.Info && two.Hpa == one.Hpa
                && two.Granted == one.Granted && two.EntryCount == one.EntryCount && two.FaultGva == one.FaultGva
                && two.LeafShift == one.LeafShift;
            for (int i = 0; i < one.EntryCount; i++)
            {
                isRight &= two.Entries[i] == one.Entries[i] && two.Addresses[i] == one.Addresses[i];
            }
            int walks = one.EntryCount + (one.Outcome == WalkOutcome.Ok ? 1 : 0);
            isRight &= two.Accesses == one.EntryCount + walks * IdentityMemory.EntriesPerWalk;
            Assert.That(isRight, Is.True, () => v + Environment.NewLine + one.Outcome + " " + one.Info
                + Environment.NewLine + two.Outcome + " " + two.Info);
        }
    }

    private static ulong GuestPage(in WalkVector v) => v.Address & ~Paging.PageOffsetMask;

    private WalkResult WalkGuest(in WalkVector v, out ulong gva)
    {
        ulong index = (v.Address & Paging.PageOffsetMask) / sizeof(ulong);
        gva = 0;
        for (int level = 1; level <= LevelsOfGuest; level++) gva |= index << Paging.LevelShift(level);
        gva = (ulong)((long)(gva << 16) >> 16) | Offset;
        WalkFormat nested = v.Format();
        WalkFormat guest = WalkFormat.ForX86(0x8000_0001, GuestPage(in v), 1 << 5, 0xD00, v.Group.PhysBits);
        PathMemory.View memory = _memory.Memory;
        Walker.Walk2D(ref memory, in nested, in guest, gva, Prot.Read, user: true, out WalkResult r, out _);
        return r;
    }

    /// <summary>A path's memory, and EPT tables above it that map every address to itself with 1 GiB leaves.</summary>
    private readonly unsafe struct IdentityMemory(PathMemory.View path, ulong* scratch) : IPhysicalMemory
    {
        public const int PhysBits = 46;
        public const int EntriesPerWalk = 2;
        public const ulong Root = Tables | 0x1E;
        private const ulong Tables = 1UL << 45;
        private const ulong TableRights = 7;
        private const ulong LeafRights = 0xB7;

        public bool IsReadOnly => false;

        public bool TryMap(ulong hpa, int bytes, out byte* pointer)
        {
            if (hpa < Tables) return path.TryMap(hpa, bytes, out pointer);
            // The root at the first page, the PDPT of its entry n at page n + 1.
            ulong page = (hpa - Tables) >> Paging.PageShift;
            ulong index = (hpa & Paging.PageOffsetMask) / sizeof(ulong);
            *scratch = page == 0
                ? (Tables + ((index + 1) << Paging.PageShift)) | TableRights
                : ((((page - 1) << Paging.IndexBits) | index) << Paging.GigapageShift) | LeafRights;
            pointer = (byte*)scratch;
            return true;
        }
    }
}
