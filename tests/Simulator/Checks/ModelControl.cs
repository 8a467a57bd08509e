using System;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Checks;

/// <summary>A host that changes the map and harvests.</summary>
internal sealed class ModelControl(GuestWorld world, Rng choices)
{
    private const int WorkKinds = 6;
    private const ulong MovedTo = 8UL << Paging.WindowShift;

    private readonly GuestWorld _world = world;
    private Rng _choices = choices;

    public void Run(int turns, ControlWork work)
    {
        for (int turn = 0; turn < turns; turn++)
        {
            ControlWork one;
            do one = (ControlWork)(1 << _choices.Below(WorkKinds));
            while ((work & one) == 0);
            Do(one);
        }
    }

    private void Do(ControlWork work)
    {
        switch (work)
        {
            case ControlWork.Harvest:
                Harvest();
                break;
            case ControlWork.Protect:
                Protect();
                break;
            case ControlWork.Discard:
                Discard();
                break;
            case ControlWork.Wire:
                Wire();
                break;
            case ControlWork.Move:
                Move();
                break;
            default:
                Advise();
                break;
        }
    }

    public void Harvest()
    {
        GuestShadow shadow = _world.Shadow;
        Span<ulong> bitmap = stackalloc ulong[Paging.EntriesPerTable / 64];
        for (int part = 0; part < GuestWorld.Parts; part++)
        {
            (int first, int end) = _world.PartOf(part);
            ulong length = _world.BytesOf(part);
            bitmap.Clear();
            long began = shadow.Now;
            _world.Stage.Note("harvests part " + part);
            for (int page = first; page < end; page++) shadow.BeginTaking(page, discards: false);
            _world.Guest.HarvestModified(new Gpa(_world.GpaOf(first)), length, bitmap);
            _world.Stage.Note("harvested part " + part + ": " + bitmap[0].ToString("X"));
            for (int page = first; page < end; page++)
            {
                bool reported = (bitmap[0] >> (page - first) & 1) != 0;
                if (reported) shadow.EndTaking(page);
                shadow.Harvested(page, began, reported);
            }
        }
    }

    public void Protect()
    {
        GuestShadow shadow = _world.Shadow;
        int page = _choices.Below(shadow.Pages);
        var gpa = new Gpa(_world.GpaOf(page));
        shadow.BeginTaking(page, discards: false);
        _world.Stage.Note("protects page " + page);
        _world.Guest.Protect(gpa, Paging.PageBytes, Prot.ReadExecute);
        shadow.EndTaking(page);
        shadow.Freeze(page, frozen: true);
        _world.Stage.Yield();
        shadow.Freeze(page, frozen: false);
        _world.Guest.Protect(gpa, Paging.PageBytes, Prot.All);
    }

    /// <summary>Wires a page, sees that it stays where it is, and unwires it.</summary>
    public void Wire()
    {
        var gpa = new Gpa(_world.GpaOf(_choices.Below(_world.Shadow.Pages)));
        _world.Stage.Note("wires " + gpa.Value.ToString("X"));
        _world.Guest.Wire(gpa, Paging.PageBytes);
        bool isMapped = _world.Guest.TryTranslate(gpa, Prot.ReadWrite, out Hpa before);
        _world.Stage.Require(isMapped, "a wired page has no translation");
        for (int i = 0; i < 3; i++) _world.Stage.Yield();
        isMapped = _world.Guest.TryTranslate(gpa, Prot.ReadWrite, out Hpa after);
        _world.Stage.Require(isMapped && after.Value == before.Value, "a wired page has moved");
        _world.Guest.Unwire(gpa, Paging.PageBytes);
    }

    /// <summary>Moves a part away and back.</summary>
    public void Move()
    {
        GuestShadow shadow = _world.Shadow;
        int part = _choices.Below(GuestWorld.Parts);
        (int first, int end) = _world.PartOf(part);
        var gpa = new Gpa(_world.GpaOf(first));
        for (int page = first; page < end; page++) shadow.BeginTaking(page, discards: false);
        _world.Stage.Note("moves part " + part);
        _world.Guest.Remap(gpa, _world.BytesOf(part), new Gpa(MovedTo));
        for (int page = first; page < end; page++) shadow.EndTaking(page);
        _world.Stage.Yield();
        _world.Guest.Remap(new Gpa(MovedTo), _world.BytesOf(part), gpa);
    }

    /// <summary>Advice that changes no content.</summary>
    public void Advise()
    {
        Advice advice = _choices.Below(3) switch
        {
            0 => Advice.Cold,
            1 => Advice.WillNeed,
            _ => Advice.Populate,
        };
        int part = _choices.Below(GuestWorld.Parts);
        (int first, _) = _world.PartOf(part);
        _ = _world.Guest.Advise(new Gpa(_world.GpaOf(first)), _world.BytesOf(part), advice);
    }

    /// <summary>Drops the content of a part that stays mapped, so many times.</summary>
    public void Drop(int turns)
    {
        GuestShadow shadow = _world.Shadow;
        for (int turn = 0; turn < turns; turn++)
        {
            int part = _choices.Below(GuestWorld.Parts);
            (int first, int end) = _world.PartOf(part);
            for (int page = first; page < end; page++) shadow.BeginTaking(page, discards: true);
            _world.Stage.Note("drops part " + part);
            AdviceResult result = _world.Guest.Advise(new Gpa(_world.GpaOf(first)), _world.BytesOf(part),
                Advice.Discard);
            _world.Stage.Require(result.Status == FaultStatus.Resolved, "a drop ended in " + result.Status);
            for (int page = first; page < end; page++) shadow.EndTaking(page, staysMapped: true);
        }
    }

    public void Discard() => DiscardPart(_choices.Below(GuestWorld.Parts));

    /// <summary>Unmaps a part and maps fresh memory there.</summary>
    public void DiscardPart(int part)
    {
        GuestShadow shadow = _world.Shadow;
        (int first, int end) = _world.PartOf(part);
        var gpa = new Gpa(_world.GpaOf(first));
        ulong length = _world.BytesOf(part);
        for (int page = first; page < end; page++) shadow.BeginTaking(page, discards: true);
        _world.Stage.Note("unmaps part " + part);
        _world.Guest.Unmap(gpa, length);
        for (int page = first; page < end; page++) shadow.EndTaking(page);
        _world.Guest.MapMemory(gpa, length);
    }
}

/// <summary>What a host does to a guest beside its vCPUs.</summary>
[Flags]
internal enum ControlWork : byte
{
    None = 0,

    /// <summary>Reports and clears marks of writes.</summary>
    Harvest = 1,

    /// <summary>Takes the write right from a page for a while.</summary>
    Protect = 2,

    /// <summary>Unmaps a part and maps fresh memory there.</summary>
    Discard = 4,

    /// <summary>Wires a page for a while.</summary>
    Wire = 8,

    /// <summary>Moves a part away and back.</summary>
    Move = 16,

    /// <summary>Gives advice.</summary>
    Advise = 32,
}
