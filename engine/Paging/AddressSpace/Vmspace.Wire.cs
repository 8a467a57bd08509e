using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.AddressSpace;

/// <summary>Keeping ranges in memory and where they are.</summary>
/// <remarks>
/// A wiring is counted in the map first. From then on the range cannot be unmapped, moved, hidden or discarded, and
/// whatever faults there is entered wired: pages that were brought in are not taken away again while the others come.
/// Faulting them in is not done under the change lock, because reclaim, which may have to make room, needs it.
/// </remarks>
public sealed unsafe partial class Vmspace
{
    /// <summary>Bytes that are wired in one stay in a slot: a quarter million entries.</summary>
    private const ulong WireChunkBytes = 1UL << 30;

    /// <summary>
    /// Takes a wiring away from a range. What has no other may be moved, unmapped and reclaimed again. Needs no
    /// shootdown.
    /// </summary>
    /// <param name="gpa">The first byte, page aligned.</param>
    /// <param name="length">Bytes, whole pages; part of what was wired, or all of it.</param>
    /// <exception cref="MapException">The range is none, or not wired throughout; nothing was changed.</exception>
    public void Unwire(ulong gpa, ulong length)
    {
        MapException.RequireRange("An unwired range", gpa, length, AddressBits);
        LockChanges(gpa, length);
        ulong end = gpa + length;
        RequireCovered(gpa, length);
        ulong at = gpa;
        while (at < end && Map.TryFindFrom(at, out MapEntry entry, out _, out _))
        {
            if (entry.Wires == 0)
            {
                UnlockChanges();
                MapException.ThrowNotWired(gpa, length, at);
            }
            at = entry.End;
        }
        if (!Map.HasRoom(VmMap.CutsPerEdit)) RefuseTooMany(gpa, length);
        TakeWires(gpa, end);
        UnlockChanges();
    }

    /// <summary>Counts a wiring of a range, whose pages are not there yet.</summary>
    /// <exception cref="MapException">The range cannot be wired; nothing was changed.</exception>
    internal void BeginWire(ulong gpa, ulong length)
    {
        MapException.RequireRange("A wired range", gpa, length, AddressBits);
        LockChanges(gpa, length);
        ulong end = gpa + length;
        RequireCovered(gpa, length);
        ulong at = gpa;
        while (at < end && Map.TryFindFrom(at, out MapEntry entry, out _, out _))
        {
            MapError error = entry.Kind == MapKind.Device ? MapError.Device
                : entry.Prot == Prot.None ? MapError.Rights
                : entry.Wires == byte.MaxValue ? MapError.TooManyWires : default;
            if (error != default)
            {
                UnlockChanges();
                MapException.ThrowUnwirable(error, gpa, length, at);
            }
            at = entry.End;
        }
        if (!Map.HasRoom(VmMap.CutsPerEdit)) RefuseTooMany(gpa, length);
        Map.BeginEdit();
        Map.AddWires(gpa, end, 1);
        Map.EndEdit();
        UnlockChanges();
    }

    /// <summary>Takes back what <see cref="BeginWire"/> counted, and all that came of it.</summary>
    internal void CancelWire(ulong gpa, ulong length)
    {
        TakeChangeLock();
        if (!_destroyed) TakeWires(gpa, gpa + length);
        UnlockChanges();
    }

    /// <summary>Wires what is mapped from an address on, up to the first page that is not.</summary>
    /// <param name="at">Where to start; where to go on.</param>
    /// <param name="end">The first byte behind the range.</param>
    /// <param name="access">The rights of the page at which it stopped.</param>
    internal WireStep WirePresent(ref ulong at, ulong end, out Prot access)
    {
        TakeChangeLock();
        access = Prot.None;
        WireStep step = _destroyed ? WireStep.Gone : WireStep.Done;
        while (at < end && step == WireStep.Done)
        {
            bool isWired = Map.TryFind(at, out MapEntry entry, out _, out _) && entry.Wires != 0;
            if (!isWired)
            {
                step = WireStep.Gone;
                break;
            }
            access = entry.Prot;
            ulong length = ulong.Min(ulong.Min(entry.End, end) - at, WireChunkBytes);
            Limbo.Recycle();
            EnterControl();
            PmapStatus status = Pmap.Wire(at, length, entry.Prot, _control.Frames, out ulong done);
            LeaveControl();
            at += done;
            if (status == PmapStatus.NotMapped) step = WireStep.Missing;
            else if (status == PmapStatus.NoFrame) step = WireStep.NoFrame;
        }
        UnlockChanges();
        return step;
    }

    /// <summary>Gives wired mappings of a range new rights at once: they must not fault for them.</summary>
    private void WidenWired(ulong gpa, ulong end)
    {
        ulong at = gpa;
        while (TryNextPiece(ref at, end, out MapEntry piece, out _))
        {
            if (piece.Wires == 0) continue;
            EnterControl();
            // What is not there yet is being faulted in, with the new rights.
            _ = Pmap.Wire(piece.Start, piece.Length, piece.Prot, _control.Frames, out _);
            LeaveControl();
        }
    }

    /// <summary>Takes a wiring away from whatever in a range has one.</summary>
    private void TakeWires(ulong gpa, ulong end)
    {
        Map.BeginEdit();
        Map.AddWires(gpa, end, -1);
        Map.EndEdit();
        ulong at = gpa;
        while (TryNextPiece(ref at, end, out MapEntry piece, out _))
        {
            if (piece.Wires != 0) continue;
            EnterControl();
            Pmap.Unwire(piece.Start, piece.Length, _control.Frames);
            LeaveControl();
        }
    }

    /// <summary>
    /// Refuses what a wired page does not allow. The change lock is held, and given back by a refusal.
    /// </summary>
    private void RequireUnwired(string what, ulong gpa, ulong length)
    {
        ulong at = gpa;
        while (TryNextPiece(ref at, gpa + length, out MapEntry piece, out _))
        {
            if (piece.Wires == 0) continue;
            UnlockChanges();
            MapException.ThrowWired(what, gpa, length, piece.Start);
        }
    }

    /// <summary>Refuses a range with a hole. The change lock is held, and given back by a refusal.</summary>
    private void RequireCovered(ulong gpa, ulong length)
    {
        if (Map.Covers(gpa, gpa + length, out ulong hole)) return;
        UnlockChanges();
        MapException.ThrowNotMapped(gpa, length, hole);
    }
}
