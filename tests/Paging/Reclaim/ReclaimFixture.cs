using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>An arena with a daemon, one guest with pageable memory at 1 MiB, and its vCPU.</summary>
internal sealed class ReclaimFixture : IPressureListener, IDisposable
{
    public const ulong PageBytes = 4096;
    public const ulong Start = 1UL << 20;

    public ReclaimFixture(GuestFormat format, ulong pages, ulong arenaFrames = 1024, ulong residentFrames = 0)
    {
        Arena = new Arena(new ArenaOptions { Bytes = arenaFrames * PageBytes });
        Daemon = new PageDaemon(Arena, new PageDaemonOptions
        {
            ResidentBytes = residentFrames * PageBytes,
            Listener = this,
        });
        Guest = new Guest(Arena, format.Options());
        Memory = new VmObject(Arena, pages * PageBytes, Pager);
        Guest.MapObject(new Gpa(Start), Memory, 0, pages * PageBytes);
        Vcpu = new TestVcpu(Guest);
    }

    public Arena Arena { get; }

    public PageDaemon Daemon { get; }

    public Guest Guest { get; }

    public VmObject Memory { get; }

    public MemoryPager Pager { get; } = new();

    public TestVcpu Vcpu { get; }

    public ReclaimResult Told { get; private set; }

    public ulong LostPage { get; private set; } = ulong.MaxValue;

    public static ulong At(ulong page, ulong offset = 0) => Start + page * PageBytes + offset;

    public bool IsMapped(ulong page) => Guest.TryTranslate(new Gpa(At(page)), Prot.Read, out _);

    public void Pressure(ReclaimResult result) => Told = result;

    public void PageLost(VmObject memory, ulong page) => LostPage = page;

    public void Dispose()
    {
        Vcpu.Dispose();
        Guest.Dispose();
        Memory.Dispose();
        ArenaBalance.AssertWhole(Arena);
        Daemon.Dispose();
        Arena.Dispose();
    }
}
