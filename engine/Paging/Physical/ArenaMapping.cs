using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Pagoda.Core;
using Pagoda.Linux;

namespace Pagoda.Physical;

/// <summary>The bytes of an arena and what the kernel is told about them: map, commit, lock, give back.</summary>
internal sealed unsafe class ArenaMapping : IDisposable
{
    private readonly NativeRegion? _region;         // Null when the caller brought the memory.
    private readonly SafeFileHandle? _memfd;
    private readonly bool _locked;

    /// <summary>Maps what the options ask for.</summary>
    /// <exception cref="ArenaException">The system refused.</exception>
    public ArenaMapping(ArenaOptions options)
    {
        Backing = options.Backing;
        Bytes = (nuint)options.Bytes;
        switch (options.Backing)
        {
            case ArenaBacking.Caller:
                Base = (byte*)options.CallerMemory;
                break;
            case ArenaBacking.Hugetlb:
                _region = MapHugetlb(Bytes);
                Base = _region.Base;
                break;
            default:
                _region = MapAnonymous(Bytes);
                Base = _region.Base;
                if (options.Backing == ArenaBacking.Memfd) _memfd = ReplaceByMemfd(_region);
                // Refused by a kernel built without transparent 2 MiB pages: then 4 KiB pages it is, only slower.
                _ = Libc.Madvise(Base, Bytes, Libc.MADV_HUGEPAGE);
                break;
        }
        if (!options.Lock) return;
        LockAll();
        _locked = true;
    }

    public ArenaBacking Backing { get; }

    public byte* Base { get; }

    public nuint Bytes { get; }

    /// <summary>The memfd's descriptor, -1 for other backings.</summary>
    public int Fd => _memfd is null ? -1 : (int)_memfd.DangerousGetHandle();

    /// <summary>
    /// Whether the kernel hands out zeros when it commits. The caller's memory holds whatever it holds.
    /// </summary>
    [AllocationFree]
    public bool CommitsZeros => Backing != ArenaBacking.Caller;

    /// <summary>Whether uncommitted memory exists at all: the caller's counts as committed.</summary>
    [AllocationFree]
    public bool CommitsLate => Backing != ArenaBacking.Caller;

    /// <summary>Makes pages present and writable now; false when the system has none.</summary>
    [AllocationFree]
    public bool TryCommit(ulong offset, ulong bytes) => Commit(offset, bytes) == 0;

    /// <summary>Gives pages back to the system; they read as zeros when next touched. False when it refused.</summary>
    [AllocationFree]
    public bool TryDecommit(ulong offset, ulong bytes)
    {
        // A memfd's pages live in the file: only a hole there frees them.
        int advice = Backing == ArenaBacking.Memfd ? Libc.MADV_REMOVE
            : _locked ? Libc.MADV_DONTNEED_LOCKED : Libc.MADV_DONTNEED;
        return Libc.Madvise(Base + offset, (nuint)bytes, advice) == 0;
    }

    /// <summary>Commits everything.</summary>
    /// <exception cref="ArenaException">The system has less memory.</exception>
    public void Prefault()
    {
        int errno = Commit(0, Bytes);
        if (errno != 0)
        {
            Throw(nameof(ArenaOptions.Prefault), errno, "Committing all " + Text(Bytes) + " bytes of the arena failed",
                "Lower Bytes, free host memory or raise its limit, or leave Prefault off");
        }
    }

    public void Dispose()
    {
        if (_locked && _region is null) _ = Libc.Munlock(Base, Bytes);
        _region?.Dispose();
        _memfd?.Dispose();
    }

    [AllocationFree]
    private int Commit(ulong offset, ulong bytes) =>
        Libc.Madvise(Base + offset, (nuint)bytes, Libc.MADV_POPULATE_WRITE);

    private static NativeRegion MapAnonymous(nuint bytes)
    {
        int errno = NativeRegion.TryMapAligned(bytes, (nuint)Core.Paging.WindowBytes, out NativeRegion? region);
        if (region is null)
        {
            Throw(nameof(ArenaOptions.Bytes), errno, "Reserving " + Text(bytes) + " bytes of address space failed",
                "Lower Bytes, or raise the address-space limit (ulimit -v)");
        }
        return region;
    }

    private static NativeRegion MapHugetlb(nuint bytes)
    {
        int errno = NativeRegion.TryMapHugetlb(bytes, out NativeRegion? region);
        if (region is null)
        {
            Throw(nameof(ArenaOptions.Backing), errno,
                "The host has not " + Text(bytes >> Core.Paging.WindowShift) + " reserved 2 MiB pages",
                "Reserve them (sysctl vm.nr_hugepages) or use " + nameof(ArenaBacking.AnonymousHuge));
        }
        return region;
    }

    private static SafeFileHandle ReplaceByMemfd(NativeRegion region)
    {
        int fd;
        int errno;
        fixed (byte* name = "pagoda-arena\0"u8) errno = Libc.MemfdCreate(name, (long)region.Length, out fd);
        if (errno != 0)
        {
            Throw(nameof(ArenaOptions.Backing), errno, "Making a memfd of " + Text(region.Length) + " bytes failed",
                "Raise the descriptor or file-size limit (ulimit -n, ulimit -f), or use "
                + nameof(ArenaBacking.AnonymousHuge));
        }
        var memfd = new SafeFileHandle(fd, ownsHandle: true);
        errno = region.TryReplaceByFile(fd);
        if (errno != 0)
        {
            memfd.Dispose();
            Throw(nameof(ArenaOptions.Backing), errno, "Mapping the arena's memfd failed",
                "Lower Bytes or use " + nameof(ArenaBacking.AnonymousHuge));
        }
        return memfd;
    }

    private void LockAll()
    {
        int errno = Libc.Mlock2(Base, Bytes, Libc.MLOCK_ONFAULT);
        if (errno == 0) return;
        Dispose();
        Throw(nameof(ArenaOptions.Lock), errno, "Locking " + Text(Bytes) + " bytes into memory failed",
            "Raise RLIMIT_MEMLOCK to at least " + Text(Bytes >> 10)
            + " KiB (ulimit -l), give the process CAP_IPC_LOCK, or leave Lock off");
    }

    private static string Text(nuint value) => value.ToString(CultureInfo.InvariantCulture);

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(string option, int errno, string what, string remedy) => throw new ArenaException(
        option, errno, "ArenaOptions." + option + ": " + what + ": " + Errno.Describe(errno) + ". " + remedy + ".");
}
