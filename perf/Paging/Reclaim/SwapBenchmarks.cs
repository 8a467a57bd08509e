using System;
using System.IO;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Perf.Gate;
using Pagoda.Physical;

namespace Pagoda.Perf.Reclaim;

/// <summary>64 scattered frames and a swap file, half of whose slots are the pager's, half the peer's.</summary>
internal sealed unsafe class SwapFixture : IDisposable
{
    /// <summary>Pages of one transfer.</summary>
    public const int Pages = SwapPager.ClusterMax;

    private const ulong FileBytes = 32UL << 20;
    private const int PeerRuns = 32;
    private const uint FrameStride = 37;        // No two frames of a transfer are neighbours.

    private readonly string _path = Path.Combine(Path.GetTempPath(), "pagoda-perf-" + Guid.NewGuid() + ".swap");
    private readonly Arena _arena = new(new ArenaOptions { Bytes = 16UL << 20, Prefault = true });
    private readonly SwapFile _file;
    private readonly SwapSpace _space;
    private readonly SwapPager _pager;
    private readonly ulong[] _pages = new ulong[Pages];
    private readonly uint[] _frames = new uint[Pages];
    private readonly PagerStatus[] _status = new PagerStatus[Pages];
    private readonly uint[] _peerRuns = new uint[PeerRuns];
    private int _peerRun;
    private int _users = 1;

    private SwapFixture()
    {
        _file = new SwapFile(new SwapFileOptions { Path = _path, Bytes = FileBytes });
        _space = new SwapSpace(_file);
        _pager = new SwapPager(_space, Pages);
        uint first = _arena.Allocator.TryTake(Core.Paging.WindowOrder + 3);
        var random = new Random(1);
        for (int i = 0; i < Pages; i++)
        {
            _pages[i] = (ulong)i;
            _frames[i] = first + (uint)i * FrameStride;
            random.NextBytes(new Span<byte>(Frame(i), (int)Core.Paging.PageBytes));
        }
        for (int i = 0; i < PeerRuns; i++)
        {
            Invariant.Require(_space.Slots.TakeRun(Pages, out _peerRuns[i]) == Pages);
            WritePeer();
        }
        Write();
    }

    /// <summary>The one that workload and peer share while both live.</summary>
    private static SwapFixture? Shown { get; set; }

    public static SwapFixture Share()
    {
        if (Shown is null) return Shown = new SwapFixture();
        Shown._users++;
        return Shown;
    }

    public void Write()
    {
        _pager.Write(new PagerBatch(_arena.Base, _pages, _frames, _status));
        Invariant.Require(_status[Pages - 1] == PagerStatus.Ok);
    }

    public void Read()
    {
        _pager.Read(new PagerBatch(_arena.Base, _pages, _frames, _status));
        Invariant.Require(_status[Pages - 1] == PagerStatus.Ok);
    }

    /// <summary>One pwritev of the same frames, to another stretch of the same file each time.</summary>
    public void WritePeer()
    {
        byte** pages = stackalloc byte*[Pages];
        for (int i = 0; i < Pages; i++) pages[i] = Frame(i);
        int errno = _file.Write(_peerRuns[NextRun()], pages, Pages, out int done);
        Invariant.Require(errno == 0 && done == Pages);
    }

    /// <summary>One preadv into the same frames.</summary>
    public void ReadPeer()
    {
        byte** pages = stackalloc byte*[Pages];
        for (int i = 0; i < Pages; i++) pages[i] = Frame(i);
        int errno = _file.Read(_peerRuns[NextRun()], pages, Pages, out int done);
        Invariant.Require(errno == 0 && done == Pages);
    }

    public void Dispose()
    {
        if (--_users != 0) return;
        Shown = null;
        _pager.Dispose();
        _space.Dispose();
        _file.Dispose();
        _arena.Dispose();
        File.Delete(_path);
    }

    private int NextRun()
    {
        while (true)
        {
            _peerRun = (_peerRun + 1) % PeerRuns;
            if (_peerRuns[_peerRun] != 0) return _peerRun;
        }
    }

    private byte* Frame(int i) => _arena.DirectMap((ulong)_frames[i] << Core.Paging.PageShift);
}

/// <summary>One transfer of the swap pager or of its peer.</summary>
public abstract class SwapWorkload : Workload
{
    private protected SwapFixture Fixture { get; } = SwapFixture.Share();

    /// <inheritdoc/>
    public override int OperationsPerRun => SwapFixture.Pages;

    /// <inheritdoc/>
    public override void Dispose() => Fixture.Dispose();
}

/// <summary>64 scattered frames to fresh slots: zero test, checksum, slots, one transfer.</summary>
public sealed class SwapOutWorkload : SwapWorkload
{
    /// <inheritdoc/>
    public override string Operation => "page swapped out in a cluster of 64, checksum included";

    /// <inheritdoc/>
    public override void Run() => Fixture.Write();
}

/// <summary>64 neighbouring slots to scattered frames: one transfer, checksums.</summary>
public sealed class SwapInWorkload : SwapWorkload
{
    /// <inheritdoc/>
    public override string Operation => "page swapped in in a cluster of 64, checksum included";

    /// <inheritdoc/>
    public override void Run() => Fixture.Read();
}

/// <summary>The system call alone.</summary>
public sealed class SwapOutLimit : SwapWorkload
{
    /// <inheritdoc/>
    public override string Operation => "a 64th of pwritev of the same frames to the same file";

    /// <inheritdoc/>
    public override void Run() => Fixture.WritePeer();
}

/// <summary>The system call alone.</summary>
public sealed class SwapInLimit : SwapWorkload
{
    /// <inheritdoc/>
    public override string Operation => "a 64th of preadv into the same frames from the same file";

    /// <inheritdoc/>
    public override void Run() => Fixture.ReadPeer();
}
