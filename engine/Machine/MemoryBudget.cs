using System;
using System.IO;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Linux;
using Pagoda.Machine.Dump;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;

namespace Pagoda.Machine;

/// <summary>Keeps a machine's guest within its resident size: the swap file, and the daemon that pages go by.</summary>
/// <remarks>
/// The daemon is stepped by the machine's thread between turns, so that two runs evict the same pages.
/// </remarks>
internal sealed partial class MemoryBudget : IPressureListener, IDisposable
{
    /// <summary>Slots beyond the guest's pages: pages in transit have two.</summary>
    private const ulong SpareBytes = 1UL << 20;

    private readonly SwapFile _file;
    private readonly PageDaemon _daemon = null!;

    /// <summary>Opens the swap file and makes the daemon of an arena.</summary>
    /// <param name="arena">The arena, without guests.</param>
    /// <param name="swap">The swap file, as in <see cref="MachineOptions.Swap"/>.</param>
    /// <param name="resetSwap">One that a process left when it was killed is used all the same.</param>
    /// <param name="memoryBytes">The guest's memory, for which there must be slots.</param>
    /// <param name="limits">The budget and the marks.</param>
    /// <exception cref="SwapException">The swap file cannot be used.</exception>
    public MemoryBudget(Arena arena, string swap, bool resetSwap, ulong memoryBytes, PageDaemonOptions limits)
    {
        _file = Open(swap, memoryBytes + SpareBytes, resetSwap);
        bool complete = false;
        try
        {
            Space = new SwapSpace(_file);
            _daemon = new PageDaemon(arena, limits with { Listener = this });
            complete = true;
        }
        finally
        {
            if (!complete) Dispose();
        }
    }

    /// <summary>Where the guest's pages go.</summary>
    public SwapSpace Space { get; } = null!;

    /// <summary>What stopped reclaim when it last fell short; null while it never did.</summary>
    public ReclaimEnd? LastPressure { get; private set; }

    /// <summary>Makes room when there is little. Outside the vCPU's slot.</summary>
    [AllocationFree]
    public void Step() => _daemon.Step();

    /// <inheritdoc/>
    [AllocationFree]
    public void Pressure(ReclaimResult result) => LastPressure = result.End;

    /// <inheritdoc/>
    [AllocationFree]
    public void PageLost(VmObject memory, ulong page)
    {
        // The access that needs the page ends the run, and says so.
    }

    /// <summary>Ends the daemon and closes the file. The guest is gone.</summary>
    public void Dispose()
    {
        _daemon?.Dispose();
        Space?.Dispose();
        _file.Dispose();
    }

    private static SwapFile Open(string path, ulong bytes, bool reset)
    {
        Libc.FileKind kind = MappedFile.KindOf(path);
        // A file that is long enough stays as long as it is.
        bool isLarge = kind == Libc.FileKind.Regular && new FileInfo(path).Length > (long)(bytes + Paging.PageBytes);
        var file = new SwapFile(new SwapFileOptions { Path = path, Bytes = isLarge ? 0 : bytes, ResetStale = reset });
        bool isOurs = kind == Libc.FileKind.None && new FileInfo(path).LinkTarget is null;
        if (isOurs) File.Delete(path);
        return file;
    }
}
