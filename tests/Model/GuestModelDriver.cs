using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Model;

/// <summary>
/// Two guests of one arena and their shadows, driven by the same random operations. Each operation's outcome must be
/// the model's, and every byte that is read must be the shadow's. The files beside hold the operations.
/// </summary>
public sealed unsafe partial class GuestModelDriver : IDisposable
{
    private const int Guests = 2;
    private const ulong PageBytes = 4096;
    private const ulong RegionPages = 24;
    private const ulong RunPagesMax = 8;
    private const ulong SharedPages = 20;

    // Around the end of a window, in another 1 GiB, and in another 512 GiB.
    private static readonly ulong[] s_regions = [500, 1UL << 18, (1UL << 27) + 512 * 3 - 4];

    private readonly Arena _arena;
    private readonly GuestFormat _format;
    private readonly SeededGenerator _random;
    private readonly Guest[] _guests = new Guest[Guests];
    private readonly TestVcpu[] _vcpus = new TestVcpu[Guests];
    private readonly ShadowGuest[] _shadows = new ShadowGuest[Guests];
    private readonly GuardedRegion _deviceMemory = new((int)(RegionPages * PageBytes), (int)PageBytes);
    private readonly List<ModelHold> _holds = [];
    private VmObject _shared;
    private ShadowObject _shadowShared = new(null, isPrivate: false);
    private int _guest;

    /// <summary>Makes the arena, the guests and one object that both may show.</summary>
    public GuestModelDriver(GuestFormat format, ulong arenaFrames, ulong seed)
    {
        _format = format;
        _random = new SeededGenerator(seed);
        _arena = new Arena(new ArenaOptions { Bytes = arenaFrames * PageBytes });
        _shared = new VmObject(_arena, SharedPages * PageBytes);
        for (int i = 0; i < Guests; i++) MakeGuest(i);
    }

    /// <summary>How often an operation found no frame.</summary>
    public int Exhaustions { get; private set; }

    /// <summary>Operations of each kind that succeeded, for the test of the test.</summary>
    public Dictionary<string, int> Successes { get; } = [];

    private Guest Current => _guests[_guest];

    private ShadowGuest Shadow => _shadows[_guest];

    private TestVcpu Vcpu => _vcpus[_guest];

    /// <summary>Where the sequence is, for messages.</summary>
    private string Where => _format + ", " + _random;

    /// <summary>Runs operations.</summary>
    public void Run(int operations)
    {
        for (int i = 0; i < operations; i++)
        {
            _guest = _random.Below(Guests);
            Step();
            if (i % 32 == 0) CheckTables();
        }
        CheckTables();
        CheckEverything();
    }

    /// <summary>Ends everything, holds last, and checks that no frame is missing.</summary>
    public void Finish()
    {
        for (int i = 0; i < Guests; i++)
        {
            _vcpus[i].Dispose();
            _guests[i].Dispose();
        }
        _shared.Dispose();
        foreach (ModelHold hold in _holds)
        {
            hold.Check(Where);
            _guests[0].Release(hold.Spans);
        }
        _holds.Clear();
        ArenaBalance.AssertWhole(_arena, Where);
    }

    /// <summary>Frees the arena.</summary>
    public void Dispose()
    {
        _arena.Dispose();
        _deviceMemory.Dispose();
    }

    private void MakeGuest(int index)
    {
        _guests[index] = new Guest(_arena, _format.Options(consumers: 1));
        _vcpus[index] = new TestVcpu(_guests[index]);
        _shadows[index] = new ShadowGuest();
    }

    private void Step()
    {
        switch (_random.Below(100))
        {
            case < 8: MapMemory(); break;
            case < 11: MapRom(); break;
            case < 16: MapShared(); break;
            case < 18: MapDevice(); break;
            case < 23: Unmap(); break;
            case < 29: Protect(); break;
            case < 33: Remap(); break;
            case < 62: Access(); break;
            case < 68: FaultBatch(); break;
            case < 76: CopyIn(); break;
            case < 83: CopyOut(); break;
            case < 88: Hold(); break;
            case < 91: UseHold(); break;
            case < 95: Release(); break;
            case < 98: Harvest(); break;
            default: Restart(); break;
        }
    }

    private void Count(string operation) =>
        Successes[operation] = Successes.GetValueOrDefault(operation) + 1;

    private void Exhausted()
    {
        Exhaustions++;
        Assert.That(ArenaBalance.Of(_arena), Is.Zero, "out of memory with free frames; " + Where);
    }

    private ulong RandomPage() => _random.Pick<ulong>(s_regions) + _random.Below(RegionPages);

    private void RandomRun(out ulong first, out ulong count)
    {
        ulong region = _random.Pick<ulong>(s_regions);
        ulong offset = _random.Below(RegionPages);
        first = region + offset;
        count = 1 + _random.Below(ulong.Min(RunPagesMax, RegionPages - offset));
    }

    private Prot RandomAccess() => _random.Pick<Prot>([Prot.Read, Prot.Read, Prot.Write, Prot.Write, Prot.Execute]);

    private static Gpa At(ulong page, ulong offset = 0) => new(page * PageBytes + offset);

    private void CheckTables()
    {
        foreach (Guest guest in _guests) guest.Pmap.CheckConsistency();
    }

    /// <summary>Every page that some table maps holds the shadow's bytes. Faults nothing in.</summary>
    private void CheckEverything()
    {
        for (int i = 0; i < Guests; i++)
        {
            foreach ((ulong page, ShadowPage shown) in _shadows[i].Pages)
            {
                if (!_guests[i].TryTranslate(At(page), Prot.Read, out Hpa hpa) || !_arena.IsArena(hpa.Value)) continue;
                var bytes = new ReadOnlySpan<byte>(_arena.DirectMap(hpa.Value), (int)PageBytes);
                Assert.That(bytes.SequenceEqual(shown.Bytes), "page 0x" + page.ToString("x", null) + "; " + Where);
            }
        }
        foreach (ModelHold hold in _holds) hold.Check(Where);
    }
}
