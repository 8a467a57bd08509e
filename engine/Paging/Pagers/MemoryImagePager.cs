using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Pagers;

/// <summary>A read-only image that lies in memory, such as a ROM: the bytes, then zeros.</summary>
[AllocationFree]
public sealed unsafe class MemoryImagePager : IPager, IDisposable
{
    private readonly NativeRegion? _image;
    private readonly byte* _bytes;
    private readonly ulong _length;

    /// <summary>Copies the image; the caller's bytes may go away.</summary>
    /// <exception cref="InsufficientMemoryException">The system has no memory for the copy.</exception>
    public MemoryImagePager(ReadOnlySpan<byte> image)
    {
        _length = (ulong)image.Length;
        if (image.IsEmpty) return;
        _image = NativeRegion.Map((nuint)image.Length);
        _bytes = _image.Base;
        image.CopyTo(new Span<byte>(_bytes, image.Length));
    }

    /// <inheritdoc/>
    public void Read(in PagerBatch batch)
    {
        for (int lane = 0; lane < batch.Count; lane++)
        {
            ulong offset = batch.Pages[lane] << Paging.PageShift;
            if (offset >= _length)
            {
                batch.Status[lane] = PagerStatus.Zero;
                continue;
            }
            int bytes = (int)Math.Min(_length - offset, Paging.PageBytes);
            Span<byte> frame = batch.Bytes(lane);
            new ReadOnlySpan<byte>(_bytes + offset, bytes).CopyTo(frame);
            frame[bytes..].Clear();
            batch.Status[lane] = PagerStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public void Write(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Error);

    /// <inheritdoc/>
    public void Discard(ReadOnlySpan<ulong> pages)
    {
    }

    /// <summary>Frees the copy. No object reads from it any more.</summary>
    public void Dispose() => _image?.Dispose();
}
