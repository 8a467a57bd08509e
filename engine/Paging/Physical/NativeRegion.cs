using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Linux;

namespace Pagoda.Physical;

/// <summary>One mapping of native memory: page aligned, zero when first touched, never moved.</summary>
/// <remarks>
/// Hot code takes <see cref="Base"/> once, at construction, and its owner keeps this object in a field. That field
/// keeps the mapping alive; the pointer does not. Memory is committed page by page as it is touched.
/// </remarks>
public sealed unsafe class NativeRegion : SafeHandle
{
    private const int Readable = Libc.PROT_READ | Libc.PROT_WRITE;
    private const int Anonymous = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE;
    private const nint NoAddress = 0;

    private NativeRegion(void* address, nuint length) : base(NoAddress, ownsHandle: true)
    {
        Length = length;
        SetHandle((nint)address);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == NoAddress;

    /// <summary>The first byte.</summary>
    public byte* Base => (byte*)handle;

    /// <summary>Bytes.</summary>
    public nuint Length { get; }

    /// <summary>Maps private anonymous memory for bookkeeping: columns, state, caches.</summary>
    /// <param name="length">Bytes, more than 0; rounded up to whole pages by the kernel.</param>
    /// <exception cref="InsufficientMemoryException">The system refused the mapping.</exception>
    public static NativeRegion Map(nuint length)
    {
        ArgumentOutOfRangeException.ThrowIfZero(length);
        int errno = Libc.Mmap(null, length, Readable, Anonymous, -1, out void* mapped);
        if (errno != 0) ThrowMapFailed(length, errno);
        return new NativeRegion(mapped, length);
    }

    /// <summary>Maps anonymous memory that starts on a multiple of <paramref name="alignment"/>.</summary>
    /// <param name="length">Bytes, a multiple of the page size.</param>
    /// <param name="alignment">Bytes, a power of two of at least a page.</param>
    /// <param name="region">The region, or null when the result is not 0.</param>
    /// <returns>0 or the errno.</returns>
    internal static int TryMapAligned(nuint length, nuint alignment, out NativeRegion? region)
    {
        region = null;
        // The kernel chooses any page: ask for more, then give back what lies before and behind.
        int errno = Libc.Mmap(null, length + alignment, Readable, Anonymous, -1, out void* mapped);
        if (errno != 0) return errno;
        nuint start = (nuint)mapped;
        nuint aligned = (start + alignment - 1) & ~(alignment - 1);
        if (aligned != start) _ = Libc.Munmap(mapped, aligned - start);
        nuint behind = start + alignment - aligned;
        if (behind != 0) _ = Libc.Munmap((void*)(aligned + length), behind);
        region = new NativeRegion((void*)aligned, length);
        return 0;
    }

    /// <summary>Maps reserved 2 MiB pages; the kernel sets all of them aside now, or refuses.</summary>
    /// <returns>0 or the errno.</returns>
    internal static int TryMapHugetlb(nuint length, out NativeRegion? region)
    {
        region = null;
        const int Flags = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_HUGETLB | Libc.MAP_HUGE_2MB;
        int errno = Libc.Mmap(null, length, Readable, Flags, -1, out void* mapped);
        if (errno == 0) region = new NativeRegion(mapped, length);
        return errno;
    }

    /// <summary>Replaces the whole region by a shared mapping of a file from its start.</summary>
    /// <returns>0 or the errno.</returns>
    internal int TryReplaceByFile(int fd) =>
        Libc.Mmap(Base, Length, Readable, Libc.MAP_SHARED | Libc.MAP_FIXED, fd, out _);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.Munmap((void*)handle, Length) == 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowMapFailed(nuint length, int errno) => throw new InsufficientMemoryException(
        "Mapping " + length + " bytes of bookkeeping memory failed: " + Errno.Describe(errno)
        + ". Free address space or memory (ulimit -v, vm.max_map_count, vm.overcommit_memory).");
}
