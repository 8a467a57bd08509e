using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Checks;

/// <summary>A vCPU with a software TLB: walks, faults, polls, and checks every use of a translation.</summary>
internal sealed unsafe class ModelVcpu
{
    private const int AttemptsMax = 6;

    private readonly GuestWorld _world;
    private readonly GuestConsumer _consumer;
    private readonly Entry[] _tlb;
    private readonly int _actor;
    private Rng _choices;
    private ulong _stores;

    public ModelVcpu(GuestWorld world, int actor, Rng choices)
    {
        _world = world;
        _actor = actor;
        _choices = choices;
        _consumer = (actor % 2 == 0 && world.Other is not null ? world.Other : world.Guest).AddConsumer();
        _tlb = new Entry[world.Shadow.Pages];
    }

    private struct Entry
    {
        public byte* Host;
        public Prot Granted;
        public uint Frame;
        public uint Life;
        public int Takings;
    }

    /// <summary>So many accesses, of which some are polls between.</summary>
    public void Run(int accesses)
    {
        bool goesOn = true;
        for (int i = 0; i < accesses && goesOn; i++)
        {
            int page = _choices.Below(_world.Shadow.Pages);
            goesOn = _choices.Below(4) switch
            {
                0 => Load(page, _actor),
                1 => Load(page, _choices.Below(GuestShadow.Words)),
                2 => Count(page),
                _ => Store(page),
            };
            if (goesOn && _choices.OneIn(2)) goesOn = Poll();
            if (_choices.OneIn(8)) _consumer.Exit();
        }
        _consumer.Exit();
    }

    /// <summary>Leaves its slot.</summary>
    public void Exit() => _consumer.Exit();

    /// <summary>Gives its slot up.</summary>
    public void Dispose() => _consumer.Dispose();

    /// <summary>Loads a word; false when the guest is being destroyed.</summary>
    public bool Load(int page, int word)
    {
        if (!TryTranslate(page, Prot.Read, out bool goesOn)) return goesOn;
        ref Entry entry = ref _tlb[page];
        ulong value = GuestMemory.Load(CellOf(in entry, word));
        _world.Shadow.Loaded(AccessOf(in entry, page, word), value);
        return true;
    }

    /// <summary>Stores to its own word; false when the guest is being destroyed.</summary>
    public bool Store(int page)
    {
        if (!TryTranslate(page, Prot.Write, out bool goesOn)) return goesOn;
        ref Entry entry = ref _tlb[page];
        TranslatedAccess access = AccessOf(in entry, page, _actor);
        ulong value = ((ulong)_actor << 32) | ++_stores;
        GuestMemory.Store(CellOf(in entry, _actor), value, access);
        _world.Shadow.Issue(in access, value);
        return true;
    }

    /// <summary>A locked increment of the page's common word.</summary>
    public bool Count(int page)
    {
        if (!TryTranslate(page, Prot.ReadWrite, out bool goesOn)) return goesOn;
        ref Entry entry = ref _tlb[page];
        ulong value = Shared.Increment(CellOf(in entry, 0));
        _world.Shadow.Loaded(AccessOf(in entry, page, 0) with { Actor = -1 }, value - 1);
        _world.Shadow.RequireWritable(page);
        _world.Shadow.Write(page, 0, value);
        return true;
    }

    /// <summary>A poll, where it is inside.</summary>
    public bool Poll()
    {
        if (!_consumer.IsInside || !_consumer.Poll()) return true;
        if (_consumer.IsDestroyed) return false;
        Flush();
        _consumer.Acknowledge();
        return true;
    }

    /// <summary>A translation that allows an access, in the TLB, inside the slot.</summary>
    /// <param name="page">The page.</param>
    /// <param name="access">The access.</param>
    /// <param name="goesOn">False when the guest is being destroyed.</param>
    private bool TryTranslate(int page, Prot access, out bool goesOn)
    {
        ulong gpa = _world.GpaOf(page);
        goesOn = true;
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            if (!TryEnter())
            {
                goesOn = false;
                return false;
            }
            if ((_tlb[page].Granted & access) == access) return true;
            if (_consumer.TryWalk(gpa, access, out ulong hpa, out Prot granted))
            {
                Fill(page, hpa, granted);
                continue;
            }
            FaultStatus status = _consumer.Fault(gpa, access, out _);
            if (status <= FaultStatus.Emulated) continue;
            goesOn = status != FaultStatus.Destroyed;
            _world.Ended(page, access, status);
            return false;
        }
        return false;
    }

    private void Fill(int page, ulong hpa, Prot granted)
    {
        uint frame = (uint)(hpa >> Paging.PageShift);
        _tlb[page] = new Entry
        {
            Host = _world.Arena.DirectMap(hpa),
            Granted = granted,
            Frame = frame,
            Life = _world.Stage.Watch.LifeOf(frame),
            Takings = _world.Shadow.Began(page),
        };
    }

    private bool TryEnter()
    {
        if (_consumer.IsInside) return true;
        if (!_consumer.Enter(out bool flush)) return false;
        if (flush)
        {
            Flush();
            _consumer.Acknowledge();
        }
        return true;
    }

    private void Flush() => System.Array.Clear(_tlb);

    private static ulong* CellOf(in Entry entry, int word) => (ulong*)entry.Host + GuestWorld.OffsetOf(word);

    private TranslatedAccess AccessOf(in Entry entry, int page, int word) =>
        new(_actor, page, entry.Frame, entry.Life, entry.Takings, word);
}
