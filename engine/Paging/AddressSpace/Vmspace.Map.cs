using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>Showing an object. Nothing is entered into the tables: the first access to each page does that.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>Shows a run of an object's pages at a guest-physical address.</summary>
    /// <param name="gpa">The first byte, page aligned.</param>
    /// <param name="memory">The object.</param>
    /// <param name="offset">Bytes from its start, page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="prot">The rights.</param>
    /// <param name="protMax">The rights that <see cref="Protect"/> may give later.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapObject(ulong gpa, VmObject memory, ulong offset, ulong length, Prot prot, Prot protMax)
    {
        ArgumentNullException.ThrowIfNull(memory);
        MapException.RequireRange("A mapping", gpa, length, AddressBits);
        RequireRights(gpa, length, prot, protMax);
        RequireInside(gpa, memory, offset, length);
        LockChanges(gpa, length);
        if (!Map.IsFree(gpa, gpa + length)) RefuseOverlap(gpa, length);
        if (!Map.HasRoom(1)) RefuseTooMany(gpa, length);

        DeviceRangeOf(memory, out MapKind kind, out ulong firstPage);
        var entry = new MapEntry
        {
            Start = gpa,
            End = gpa + length,
            Page = firstPage + (offset >> Paging.PageShift),
            Prot = prot,
            ProtMax = protMax,
            Kind = kind,
        };
        if (!Map.Shows(memory) && !memory.TryReference())
        {
            UnlockChanges();
            MapException.ThrowWrongObject(gpa, length, "was disposed: make another.");
        }
        Map.BeginEdit();
        Map.Insert(entry, memory);
        Map.EndEdit();
        UnlockChanges();
    }

    private void RequireInside(ulong gpa, VmObject memory, ulong offset, ulong length)
    {
        if (!ReferenceEquals(memory.Arena, Arena))
        {
            MapException.ThrowWrongObject(gpa, length, "belongs to another arena: make it with the guest's.");
        }
        bool outside = offset > memory.LengthBytes || length > memory.LengthBytes - offset;
        if (outside || (offset & Paging.PageOffsetMask) != 0)
        {
            MapException.ThrowObjectRange(gpa, length, offset, memory.LengthBytes);
        }
    }

    private void RequireRights(ulong gpa, ulong length, Prot prot, Prot protMax)
    {
        if ((prot & ~protMax) != 0)
        {
            MapException.ThrowRights(gpa, length, prot, "what is mapped there allows " + protMax + " at most.");
        }
        // No right at all is a mapping too: every access to it is a protection fault.
        if (prot != Prot.None && !Pmap.Format.CanExpress(prot))
        {
            MapException.ThrowRights(gpa, length, prot,
                "the guest's table format needs Read beside them; give Read too.");
        }
    }

    private static void DeviceRangeOf(VmObject memory, out MapKind kind, out ulong firstPage)
    {
        kind = memory.Device is null ? MapKind.Memory : MapKind.Device;
        firstPage = memory.Device is null ? 0 : memory.Device.Hpa >> Paging.PageShift;
    }

    private void RefuseOverlap(ulong gpa, ulong length)
    {
        _ = Map.TryFindFrom(gpa, out MapEntry found, out _, out _);
        UnlockChanges();
        MapException.ThrowOverlap(gpa, length, in found);
    }

    private void RefuseTooMany(ulong gpa, ulong length)
    {
        UnlockChanges();
        MapException.ThrowTooManyEntries(gpa, length);
    }
}
