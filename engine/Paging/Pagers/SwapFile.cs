using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Pagoda.Core;
using Pagoda.Linux;

namespace Pagoda.Pagers;

/// <summary>
/// A swap store in a file or on a block device: direct I/O where the file allows it, one transfer a run.
/// </summary>
/// <remarks>
/// The file is locked while it is open. Its header tells one that was closed in order from one that a process left when
/// it died: that one is refused, or reset when the options say so, and a file that is no swap file is never touched.
/// A new nonce each time makes sure that nothing of an earlier use verifies.
/// </remarks>
public sealed unsafe class SwapFile : ISwapStore, IDisposable
{
    private const uint OwnerOnly = 0x180;     // 0600
    private const int ScanBytes = 1 << 20;

    // On a device, where file systems, volumes and arrays have their signatures.
    private const long DeviceScanBytes = ScanBytes;
    private const long LengthMax = (long)uint.MaxValue << Paging.PageShift;

    private readonly string _path;
    private readonly SwapHeader* _header;
    private int _fd = -1;

    /// <summary>Opens the file, checks its header and takes it into use.</summary>
    /// <exception cref="ArgumentException">The size is no multiple of the page size, or out of bounds.</exception>
    /// <exception cref="SwapException">The file cannot be used; the message says why and what to do.</exception>
    public SwapFile(SwapFileOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.Path);
        if ((options.Bytes & Paging.PageOffsetMask) != 0 || options.Bytes > (ulong)LengthMax)
        {
            throw new ArgumentException("A swap file of " + options.Bytes + " bytes cannot be made: give a multiple of "
                + Paging.PageBytes + " up to " + LengthMax + ".", nameof(options));
        }
        _path = options.Path;
        _header = (SwapHeader*)NativeMemory.AlignedAlloc((nuint)sizeof(SwapHeader), (nuint)Paging.PageBytes);
        bool complete = false;
        try
        {
            Open();
            Slots = TakeIntoUse(options);
            complete = true;
        }
        finally
        {
            if (!complete) Release();
        }
    }

    /// <inheritdoc/>
    [AllocationFree]
    public uint Slots { get; }

    /// <inheritdoc/>
    [AllocationFree]
    public ulong Nonce => _header->Nonce;

    /// <summary>Transfers bypass the page cache.</summary>
    public bool IsDirect { get; private set; }

    /// <inheritdoc/>
    [AllocationFree]
    public int Read(uint first, byte** pages, int count, out int done)
    {
        Invariant.Assert(first != 0);
        Invariant.Assert(count <= SwapPager.ClusterMax);
        Libc.IoVector* vectors = stackalloc Libc.IoVector[SwapPager.ClusterMax];
        Fill(vectors, pages, count);
        int errno = Libc.ReadVector(_fd, vectors, count, (long)first << Paging.PageShift, out nuint bytes);
        done = (int)(bytes >> Paging.PageShift);
        return errno;
    }

    /// <inheritdoc/>
    [AllocationFree]
    public int Write(uint first, byte** pages, int count, out int done)
    {
        Invariant.Assert(first != 0);
        Invariant.Assert(count <= SwapPager.ClusterMax);
        Libc.IoVector* vectors = stackalloc Libc.IoVector[SwapPager.ClusterMax];
        Fill(vectors, pages, count);
        int errno = Libc.WriteVector(_fd, vectors, count, (long)first << Paging.PageShift, out nuint bytes);
        done = (int)(bytes >> Paging.PageShift);
        return errno;
    }

    /// <summary>Marks the file closed in order and lets it go. No pager uses it any more.</summary>
    public void Dispose()
    {
        if (_fd < 0) return;
        _header->State = SwapHeader.Closed;
        SwapHeader.Close(_header);
        // A file that cannot be marked is taken for a crashed one next time, which is refused: nothing is lost.
        _ = Libc.Pwrite(_fd, _header, (nuint)sizeof(SwapHeader), 0, out _);
        Release();
    }

    [AllocationFree]
    private static void Fill(Libc.IoVector* vectors, byte** pages, int count)
    {
        for (int i = 0; i < count; i++)
        {
            vectors[i].Base = pages[i];
            vectors[i].Length = (nuint)Paging.PageBytes;
        }
    }

    private void Open()
    {
        byte[] path = Encoding.UTF8.GetBytes(_path + '\0');
        const int Flags = Libc.O_RDWR | Libc.O_CREAT | Libc.O_CLOEXEC;
        fixed (byte* bytes = path)
        {
            int errno = Libc.Open(bytes, Flags | Libc.O_DIRECT, OwnerOnly, out _fd);
            IsDirect = errno == 0;
            // Some file systems, tmpfs before Linux 6.6 among them, know no direct I/O.
            if (errno == Errno.EINVAL) errno = Libc.Open(bytes, Flags, OwnerOnly, out _fd);
            if (errno != 0) Refuse("cannot be opened: " + Errno.Describe(errno) + "; name a file that can be written");
        }
        int locked = Libc.Lock(_fd, Libc.LOCK_EX | Libc.LOCK_NB);
        if (locked != 0) Refuse("is in use by another process; give each its own");
    }

    private uint TakeIntoUse(SwapFileOptions options)
    {
        Check(Libc.Length(_fd, out long length), "its length cannot be read");
        if (length != 0) CheckHeader(options, length);
        long wanted = options.Bytes == 0 ? length : (long)(options.Bytes + Paging.PageBytes);
        if (wanted < 2 * (long)Paging.PageBytes) Refuse("has no room for a page; give its size");
        if (wanted != length)
        {
            int errno = Libc.Truncate(_fd, wanted);
            // A block device keeps its size: it must be large enough.
            if (errno != 0 && wanted > length) Refuse("cannot grow to " + wanted + " bytes: " + Errno.Describe(errno));
        }
        ulong slots = ulong.Min((ulong)wanted >> Paging.PageShift, uint.MaxValue - SwapSlots.Spare);
        new Span<byte>(_header, sizeof(SwapHeader)).Clear();
        _header->Magic = SwapHeader.MagicValue;
        _header->Version = SwapHeader.VersionValue;
        _header->State = SwapHeader.InUse;
        _header->Slots = slots;
        _header->BootId = BootId();
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref _header->Nonce)));
        SwapHeader.Close(_header);
        Check(Libc.Pwrite(_fd, _header, (nuint)sizeof(SwapHeader), 0, out _), "its header cannot be written");
        return (uint)slots - 1;
    }

    private void CheckHeader(SwapFileOptions options, long length)
    {
        int errno = Libc.Pread(_fd, _header, (nuint)sizeof(SwapHeader), 0, out nuint read);
        // A file whose length is no multiple of a block ends inside the page that direct I/O reads.
        Check(errno, "its header cannot be read");
        new Span<byte>((byte*)_header + read, sizeof(SwapHeader) - (int)read).Clear();
        if (SwapHeader.IsBlank(_header) && IsBlank(length)) return;
        if (!SwapHeader.IsValid(_header)) Refuse("is no swap file; name another, or remove it if it is not needed");
        if (_header->State == SwapHeader.Closed || options.ResetStale) return;
        string when = _header->BootId == BootId() ? "since" : "before";
        Refuse("was left by a process that ended " + when
            + " the last start of the system without closing it; remove it, or ask for a reset");
    }

    /// <summary>
    /// Nothing is there: many images of disks and file systems begin with a page of zeros. Holes are passed over.
    /// </summary>
    private bool IsBlank(long length)
    {
        long end = IsDevice() ? long.Min(length, DeviceScanBytes) : length;
        byte* buffer = (byte*)NativeMemory.AlignedAlloc(ScanBytes, (nuint)Paging.PageBytes);
        bool isBlank = true;
        for (long at = 0; isBlank && at < end;)
        {
            long data = Libc.NextData(_fd, at);
            at = data & ~(long)Paging.PageOffsetMask;
            if (at >= end) break;
            int errno = Libc.Pread(_fd, buffer, ScanBytes, at, out nuint read);
            // What cannot be read may be somebody's.
            isBlank = errno == 0 && read != 0
                && new ReadOnlySpan<byte>(buffer, (int)read).IndexOfAnyExcept((byte)0) < 0;
            at += (long)read;
        }
        NativeMemory.AlignedFree(buffer);
        return isBlank;
    }

    private bool IsDevice()
    {
        byte[] path = Encoding.UTF8.GetBytes(_path + '\0');
        fixed (byte* bytes = path) return Libc.KindOf(bytes) != Libc.FileKind.Regular;
    }

    private static Guid BootId()
    {
        const string Source = "/proc/sys/kernel/random/boot_id";
        return File.Exists(Source) && Guid.TryParse(File.ReadAllText(Source).AsSpan().Trim(), out Guid id)
            ? id : Guid.Empty;
    }

    private void Check(int errno, string what)
    {
        if (errno != 0) Refuse("cannot be used: " + what + " (" + Errno.Describe(errno) + ")");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refuse(string reason) => throw new SwapException("The swap file '" + _path + "' " + reason + ".");

    private void Release()
    {
        if (_fd >= 0) _ = Libc.Close(_fd);
        _fd = -1;
        NativeMemory.AlignedFree(_header);
    }
}
