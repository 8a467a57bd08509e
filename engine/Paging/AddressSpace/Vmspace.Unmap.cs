using System;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>Taking ranges away.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>
    /// Unmaps everything in a range, holes allowed. When it returns no consumer has a translation of it, the pages of
    /// private memory in it are free (a held one: after its release), and objects shown nowhere else have lost a user.
    /// </summary>
    /// <param name="gpa">The first byte, page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <exception cref="MapException">The range is none, nothing in it is mapped, or part of it is wired; nothing was
    /// changed.</exception>
    public void Unmap(ulong gpa, ulong length)
    {
        MapException.RequireRange("An unmapped range", gpa, length, AddressBits);
        LockChanges(gpa, length);
        ulong end = gpa + length;
        if (Map.IsFree(gpa, end))
        {
            UnlockChanges();
            MapException.ThrowNotMapped(gpa, length, gpa);
        }
        RequireUnwired("unmapped", gpa, length);
        if (!Map.HasRoom(VmMap.CutsPerEdit)) RefuseTooMany(gpa, length);

        Map.BeginEdit();
        Departure[] departures = TakeOut(gpa, end);
        Map.EndEdit();
        RemoveTranslations(gpa, length);
        try
        {
            LetGo(departures);
        }
        finally
        {
            UnlockChanges();
        }
    }

    /// <summary>Takes every entry of a range out of the map, cut to the range. An edit is under way.</summary>
    private Departure[] TakeOut(ulong start, ulong end)
    {
        var departures = new Departure[Map.CountIn(start, end)];
        for (int i = 0; i < departures.Length; i++)
        {
            bool found = Map.TryTake(start, end, out MapEntry entry, out VmObject? memory, out bool last);
            Invariant.Require(found);
            departures[i] = new Departure(in entry, memory!, last);
        }
        return departures;
    }

    /// <summary>
    /// Empties a range of the tables. When it returns every consumer has let the old translations go, and nobody is in
    /// its slot any more who found the range in the map before the edit.
    /// </summary>
    private void RemoveTranslations(ulong gpa, ulong length)
    {
        var gather = new ShootdownGather(Consumers, Limbo);
        EnterControl();
        Pmap.Remove(gpa, length, _control.Frames, ref gather);
        LeaveControl();
        // Also when nothing was mapped: a fault that found the old entry may still be about to read page words.
        gather.CommitAndWait();
        Limbo.Recycle();
    }

    /// <summary>Frees runs that were taken out of the map; all of them, whatever a pager throws.</summary>
    private static void LetGo(ReadOnlySpan<Departure> departures)
    {
        int next = 0;
        try
        {
            while (next < departures.Length) LetGo(in departures[next++]);
        }
        finally
        {
            if (next < departures.Length) LetGo(departures[next..]);
        }
    }

    private static void LetGo(in Departure departure)
    {
        VmObject memory = departure.Memory;
        if (departure.IsLast)
        {
            memory.Release();
        }
        else if (memory.IsPrivate && departure.Entry.Kind == MapKind.Memory)
        {
            // Each page of private memory is shown once at most, so nobody can reach these any more.
            memory.Drop(departure.Entry.Page, departure.Entry.Length >> Paging.PageShift);
        }
    }

    /// <summary>Enters the slot of whoever holds the change lock, for walks of his own.</summary>
    [AllocationFree]
    private void EnterControl()
    {
        bool entered = _control.TryEnter();
        Invariant.Require(entered);
    }

    /// <summary>Leaves it. Changes are rare, so frames that one left over are worth more elsewhere.</summary>
    [AllocationFree]
    private void LeaveControl()
    {
        _control.Exit();
        _control.Frames.Drain();
    }
}
