using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;

namespace Pagoda.GuestAccess;

/// <summary>Copies between host buffers and guest memory.</summary>
/// <remarks>
/// The bytes are copied inside the consumer's slot, a few pages a stay, so no hold is needed. A write marks its pages
/// before it leaves the slot. A range that the map does not allow throughout is refused before the first byte; a
/// failure on the way (no frame, a page that is lost) leaves the bytes in front of it copied, as a guest's own store
/// would.
/// </remarks>
[AllocationFree]
public static unsafe class GuestCopy
{
    /// <summary>Pages of one stay in the slot: a few microseconds.</summary>
    private const int PagesPerStay = 16;

    /// <summary>Copies guest bytes out.</summary>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">The first byte.</param>
    /// <param name="destination">Where to.</param>
    /// <returns>Resolved, or why not.</returns>
    public static FaultStatus Read(VmspaceConsumer consumer, ulong gpa, Span<byte> destination)
    {
        fixed (byte* bytes = destination) return Copy(consumer, gpa, bytes, (ulong)destination.Length, Prot.Read);
    }

    /// <summary>Copies bytes into guest memory.</summary>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">The first byte.</param>
    /// <param name="source">What.</param>
    /// <returns>Resolved, or why not.</returns>
    public static FaultStatus Write(VmspaceConsumer consumer, ulong gpa, ReadOnlySpan<byte> source)
    {
        fixed (byte* bytes = source) return Copy(consumer, gpa, bytes, (ulong)source.Length, Prot.Write);
    }

    private static FaultStatus Copy(VmspaceConsumer consumer, ulong gpa, byte* host, ulong length, Prot access)
    {
        if (length == 0) return FaultStatus.Resolved;
        FaultStatus status = GuestTranslation.Check(consumer, gpa, length, access);
        ulong* missing = stackalloc ulong[MissingPages.Max];
        ulong end = gpa + length;
        ulong at = gpa;
        while (at != end && status == FaultStatus.Resolved)
        {
            if (!consumer.TryEnter()) return FaultStatus.Destroyed;
            ulong device = CopyPresent(consumer, ref at, end, host - gpa, access, out bool isAbsent);
            int absent = isAbsent ? MissingPages.Collect(consumer, at, end, access, missing) : 0;
            consumer.Exit();
            if (absent != 0) status = MissingPages.Fault(consumer, missing, absent, access);
            // A device model may do anything, so it is not called from inside the slot.
            else if (device != 0) status = AccessDevice(consumer.Space.Arena, device, ref at, end, host - gpa, access);
        }
        return status;
    }

    /// <summary>Copies up to the first page that is absent or a device's, or to the end of the stay.</summary>
    /// <param name="consumer">The caller's, in its slot.</param>
    /// <param name="at">Where the copy is.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="bias">A host address less its guest-physical one.</param>
    /// <param name="access">Read or Write.</param>
    /// <param name="isAbsent">The page at <paramref name="at"/> is not mapped for the access.</param>
    /// <returns>The device's HPA that stands at <paramref name="at"/>; 0 for none.</returns>
    private static ulong CopyPresent(VmspaceConsumer consumer, ref ulong at, ulong end, byte* bias, Prot access,
        out bool isAbsent)
    {
        Arena arena = consumer.Space.Arena;
        isAbsent = false;
        for (int i = 0; i < PagesPerStay && at != end; i++)
        {
            if (!consumer.Space.Pmap.TryExtract(at, access, out ulong hpa))
            {
                isAbsent = true;
                return 0;
            }
            if (!arena.IsArena(hpa)) return hpa;
            ulong bytes = ulong.Min(end - at, Paging.PageBytes - (at & Paging.PageOffsetMask));
            byte* guest = arena.DirectMap(hpa);
            if (Planted.Is(PlantedFault.CopyLeavesBeforeUse)) LeaveEarly(consumer);
            if (access == Prot.Read)
            {
                Buffer.MemoryCopy(guest, bias + at, bytes, bytes);
            }
            else
            {
                Buffer.MemoryCopy(bias + at, guest, bytes, bytes);
                GuestMarks.Written(arena.Frames, (uint)(hpa >> Paging.PageShift));
            }
            at += bytes;
        }
        return 0;
    }

    private static void LeaveEarly(VmspaceConsumer consumer)
    {
        consumer.Exit();
        Shared.Fence();
    }

    /// <summary>One access to a device, as wide as the place allows.</summary>
    private static FaultStatus AccessDevice(Arena arena, ulong hpa, ref ulong at, ulong end, byte* bias, Prot access)
    {
        // The range was unmapped since.
        if (!arena.Devices.TryFind(hpa, out DeviceRange range)) return FaultStatus.NoMapping;
        int size = sizeof(ulong);
        while ((at & (ulong)(size - 1)) != 0 || (ulong)size > end - at) size >>= 1;
        ulong value = 0;
        if (access == Prot.Read)
        {
            value = range.Read(hpa, size);
            Buffer.MemoryCopy(&value, bias + at, size, size);
        }
        else
        {
            Buffer.MemoryCopy(bias + at, &value, sizeof(ulong), size);
            range.Write(hpa, size, value);
        }
        at += (ulong)size;
        return FaultStatus.Resolved;
    }
}
