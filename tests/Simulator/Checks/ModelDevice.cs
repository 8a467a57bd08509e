using System;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Checks;

/// <summary>A device model: holds pages, accesses them through its pointers, copies in and out.</summary>
internal sealed unsafe class ModelDevice(GuestWorld world, int actor, Rng choices)
{
    private readonly GuestWorld _world = world;
    private readonly int _actor = actor;
    private Rng _choices = choices;
    private ulong _stores;

    public void Run(int turns)
    {
        for (int turn = 0; turn < turns; turn++)
        {
            int page = _choices.Below(_world.Shadow.Pages);
            switch (_choices.Below(4))
            {
                case 0:
                    Read(page, _choices.Below(GuestShadow.Words));
                    break;
                case 1:
                    Write(page);
                    break;
                default:
                    HoldAndUse(page, _choices.OneIn(3) ? Prot.Read : Prot.ReadWrite);
                    break;
            }
        }
    }

    /// <summary>Holds, so many times.</summary>
    public void Hold(int turns)
    {
        for (int turn = 0; turn < turns; turn++)
            HoldAndUse(_choices.Below(_world.Shadow.Pages), _choices.OneIn(3) ? Prot.Read : Prot.ReadWrite);
    }

    /// <summary>Holds a page, uses it, releases it.</summary>
    public void HoldAndUse(int page, Prot access)
    {
        Span<GuestSpan> spans = stackalloc GuestSpan[1];
        GuestShadow shadow = _world.Shadow;
        int discards = shadow.Discards(page);
        bool wasSettled = shadow.IsSettled(page);
        var gpa = new Gpa(_world.GpaOf(page));
        FaultStatus status = _world.Guest.Hold(gpa, Paging.PageBytes, access, spans, out int count);
        if (status != FaultStatus.Resolved)
        {
            _world.Ended(page, access, status);
            return;
        }
        _world.Stage.Require(count == 1, "a page is one span");
        byte* host = spans[0].Pointer;
        uint frame = (uint)((ulong)(host - _world.Arena.Base) >> Paging.PageShift);
        bool isOwned = _world.Stage.Watch.StateOf(frame) != FrameState.Free;
        _world.Stage.Require(isOwned, "page " + page + " is held in frame " + frame + ", which is free");
        uint life = _world.Stage.Watch.LifeOf(frame);
        // Taken away meanwhile: nobody knows whether the old page or the new one is held.
        bool isKnown = wasSettled && shadow.IsSettled(page) && shadow.Discards(page) == discards;
        // Taken away from here on it is held all the same, and what is written goes nowhere.
        int takings = -discards - 1;
        bool writes = isKnown && (access & Prot.Write) != 0;
        if (writes) shadow.BeginHostWrite(page);
        int uses = isKnown ? 1 + _choices.Below(3) : 0;
        for (int use = 0; use < uses; use++)
        {
            var translated = new TranslatedAccess(_actor, page, frame, life, takings, _actor);
            ulong* cell = (ulong*)host + GuestWorld.OffsetOf(_actor);
            if (writes)
            {
                ulong value = ((ulong)_actor << 32) | ++_stores;
                GuestMemory.Store(cell, value, translated);
                if (shadow.Discards(page) == discards) shadow.Issue(in translated, value);
            }
            else
            {
                shadow.Loaded(in translated, GuestMemory.Load(cell));
            }
        }
        _world.Guest.Release(spans);
        if (writes) shadow.EndHostWrite(page, shadow.Discards(page) == discards);
    }

    private void Read(int page, int word)
    {
        ulong value = 0;
        GuestShadow shadow = _world.Shadow;
        ulong before = shadow.Visible(page, word);
        int discards = shadow.Discards(page);
        FaultStatus status = _world.Guest.Read(_world.AddressOf(page, word), new Span<byte>(&value, sizeof(ulong)));
        if (status != FaultStatus.Resolved)
        {
            _world.Ended(page, Prot.Read, status);
            return;
        }
        // Another value is right if the word changed meanwhile.
        bool isSteady = shadow.Visible(page, word) == before && shadow.Discards(page) == discards;
        if (isSteady) shadow.Expect(page, word, value, isOwner: word == _actor);
    }

    private void Write(int page)
    {
        GuestShadow shadow = _world.Shadow;
        ulong value = ((ulong)_actor << 32) | ++_stores;
        int discards = shadow.Discards(page);
        Gpa gpa = _world.AddressOf(page, GuestShadow.CopiedWord);
        bool wasSettled = shadow.IsSettled(page);
        shadow.BeginHostWrite(page);
        shadow.BeginCopy(page);
        FaultStatus status = _world.Guest.Write(gpa, new ReadOnlySpan<byte>(&value, sizeof(ulong)));
        bool isKnown = wasSettled && shadow.IsSettled(page) && shadow.Discards(page) == discards;
        bool isDone = status == FaultStatus.Resolved;
        shadow.EndCopy(page, isKnown, isDone ? value : shadow.Visible(page, GuestShadow.CopiedWord));
        shadow.EndHostWrite(page, isDone && isKnown);
        if (!isDone) _world.Ended(page, Prot.Write, status);
    }
}
