using System;
using Pagoda.Core;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Checks;

/// <summary>A host that changes the map and harvests.</summary>
internal sealed class ModelControl(GuestWorld world, Rng choices)
{
    private readonly GuestWorld _world = world;
    private Rng _choices = choices;

    public void Run(int turns, ControlWork work)
    {
        for (int turn = 0; turn < turns; turn++)
        {
            ControlWork one = (ControlWork)(1 << _choices.Below(3));
            if ((work & one) == 0) one = work;
            if ((one & ControlWork.Harvest) != 0) Harvest();
            else if ((one & ControlWork.Protect) != 0) Protect();
            else Discard();
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

    public void Discard()
    {
        GuestShadow shadow = _world.Shadow;
        int part = _choices.Below(GuestWorld.Parts);
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
}
