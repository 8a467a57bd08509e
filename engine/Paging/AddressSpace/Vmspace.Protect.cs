using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>Changing rights.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>
    /// Gives a range, which is mapped throughout, other rights. When it returns no consumer has a translation with a
    /// right that was taken. A right that was given shows at the next access; on wired pages it is there at once.
    /// </summary>
    /// <param name="gpa">The first byte, page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="prot">The rights; none at all makes every access a protection fault.</param>
    /// <exception cref="MapException">The range cannot have these rights, or shall have none and is wired in part;
    /// nothing was changed.</exception>
    public void Protect(ulong gpa, ulong length, Prot prot)
    {
        MapException.RequireRange("A protected range", gpa, length, AddressBits);
        RequireRights(gpa, length, prot, Prot.All);
        LockChanges(gpa, length);
        ulong end = gpa + length;
        RequireCovered(gpa, length);
        if (prot == Prot.None) RequireUnwired("given no right", gpa, length);
        RightsIn(gpa, end, out Prot given, out Prot allowed);
        if ((prot & ~allowed) != 0)
        {
            UnlockChanges();
            MapException.ThrowRights(gpa, length, prot, "what is mapped there allows " + allowed + " at most.");
        }
        if (!Map.HasRoom(VmMap.CutsPerEdit)) RefuseTooMany(gpa, length);

        Map.BeginEdit();
        Map.SetProt(gpa, end, prot);
        Map.EndEdit();
        if (prot == Prot.None) Hide(gpa, length);
        else if ((given & ~prot) != 0) Narrow(gpa, length, prot);
        WidenWired(gpa, end);
        UnlockChanges();
    }

    /// <summary>
    /// Removes translations of pages that stay: marks of writes are on their frames alone from here on.
    /// </summary>
    private void Hide(ulong gpa, ulong length)
    {
        Shared.Store(_changeLock + UnmappedMarksCell, 1);
        RemoveTranslations(gpa, length);
    }

    private void Narrow(ulong gpa, ulong length, Prot prot)
    {
        var gather = new ShootdownGather(Consumers, Limbo);
        EnterControl();
        Pmap.Protect(gpa, length, prot, _control.Frames, ref gather);
        LeaveControl();
        if (Planted.Is(PlantedFault.ProtectWithoutWait)) gather.Commit();
        else gather.CommitAndWait();
        Limbo.Recycle();
    }

    /// <summary>The rights that something in a range has, and those that everything in it may have.</summary>
    private void RightsIn(ulong start, ulong end, out Prot given, out Prot allowed)
    {
        given = Prot.None;
        allowed = Prot.All;
        ulong at = start;
        while (at < end && Map.TryFindFrom(at, out MapEntry entry, out _, out _))
        {
            given |= entry.Prot;
            allowed &= entry.ProtMax;
            at = entry.End;
        }
    }
}
