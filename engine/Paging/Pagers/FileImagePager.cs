using System;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Pagoda.Core;
using Pagoda.Linux;

namespace Pagoda.Pagers;

/// <summary>A read-only image in a file: the faulting thread reads the pages itself, into their frames.</summary>
/// <remarks>
/// Bytes behind the end of the file are zero. A file that shrinks or changes while it is used is read as it is then.
/// </remarks>
[AllocationFree]
public sealed unsafe class FileImagePager : IPager, IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly int _descriptor;
    private readonly ulong _offset;

    /// <summary>Opens the file for reading.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offset">Bytes from its start to page 0 of the object.</param>
    /// <exception cref="IOException">The file cannot be opened; the message names it.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read; the message names it.</exception>
    public FileImagePager(string path, ulong offset = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, (ulong)long.MaxValue);
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        _descriptor = (int)_file.DangerousGetHandle();
        _offset = offset;
        LengthBytes = (ulong)RandomAccess.GetLength(_file);
        LengthBytes = LengthBytes > offset ? LengthBytes - offset : 0;
    }

    /// <summary>Bytes from the offset to the end of the file, when it was opened.</summary>
    public ulong LengthBytes { get; }

    /// <inheritdoc/>
    public void Read(in PagerBatch batch)
    {
        for (int lane = 0; lane < batch.Count; lane++)
        {
            Span<byte> frame = batch.Bytes(lane);
            fixed (byte* bytes = frame)
            {
                ulong offset = _offset + (batch.Pages[lane] << Paging.PageShift);
                int errno = Libc.Pread(_descriptor, bytes, (nuint)frame.Length, (long)offset, out nuint done);
                // Behind the end of the file there is nothing to read, which is no error.
                if (errno == 0) frame[(int)done..].Clear();
                batch.Status[lane] = errno != 0 ? PagerStatus.Error : done == 0 ? PagerStatus.Zero : PagerStatus.Ok;
            }
        }
    }

    /// <inheritdoc/>
    public void Write(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Error);

    /// <inheritdoc/>
    public void Discard(ReadOnlySpan<ulong> pages)
    {
    }

    /// <summary>Closes the file. No object reads from it any more.</summary>
    public void Dispose() => _file.Dispose();
}
