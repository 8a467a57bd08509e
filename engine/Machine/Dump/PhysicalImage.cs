using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Machine.Dump;

/// <summary>A copy of physical memory in a file, with holes or without, to walk tables in.</summary>
/// <remarks>
/// Walks may write to it (accessed and dirty bits); the file does not change. A page table may lie anywhere in it, cut
/// off at any entry. Owns its file.
/// </remarks>
public sealed unsafe class PhysicalImage : IDisposable
{
    private readonly MappedFile _file;
    private readonly int _count;
    private ImageExtent* _extents;

    /// <summary>Takes <paramref name="file"/> as the memory that <paramref name="extents"/> describe.</summary>
    /// <param name="file">The file; the image disposes it.</param>
    /// <param name="extents">
    /// Runs in ascending order of HPA that do not overlap and lie inside the file; address and offset are multiples
    /// of 8.
    /// </param>
    public PhysicalImage(MappedFile file, ReadOnlySpan<ImageExtent> extents)
    {
        ulong end = 0;
        foreach (ImageExtent extent in extents)
        {
            Invariant.Require(extent.Hpa >= end);
            Invariant.Require(extent.Bytes <= ulong.MaxValue - extent.Hpa);
            Invariant.Require(extent.Offset <= file.Length);
            Invariant.Require(extent.Bytes <= file.Length - extent.Offset);
            Invariant.Require((extent.Hpa & (sizeof(ulong) - 1)) == 0);
            Invariant.Require((extent.Offset & (sizeof(ulong) - 1)) == 0);
            end = extent.Hpa + extent.Bytes;
        }
        _file = file;
        _count = extents.Length;
        _extents = (ImageExtent*)NativeMemory.Alloc((nuint)extents.Length + 1, (nuint)sizeof(ImageExtent));
        extents.CopyTo(new Span<ImageExtent>(_extents, _count));
    }

    /// <summary>The memory, to walk in.</summary>
    /// <param name="isReadOnly">True: walks set no bits.</param>
    public SegmentedMemory Memory(bool isReadOnly)
    {
        ObjectDisposedException.ThrowIf(_extents == null, this);
        return new SegmentedMemory(_file.Bytes, _extents, _count, isReadOnly);
    }

    /// <summary>Reads a table entry; false when any byte of it is outside.</summary>
    /// <param name="hpa">Its address, a multiple of 8.</param>
    /// <param name="entry">Its value, or 0.</param>
    public bool TryReadEntry(ulong hpa, out ulong entry)
    {
        entry = 0;
        if (!Memory(isReadOnly: true).TryMap(hpa, sizeof(ulong), out byte* pointer)) return false;
        entry = Shared.Load((ulong*)pointer);
        return true;
    }

    /// <summary>Reads the entries of a table from its first one on; returns how many lie inside.</summary>
    /// <param name="hpa">The table's address, a multiple of the page.</param>
    /// <param name="entries">At most a page of entries; what is beyond the returned count is unchanged.</param>
    public int ReadTable(ulong hpa, Span<ulong> entries)
    {
        SegmentedMemory memory = Memory(isReadOnly: true);
        if (memory.TryMap(hpa, entries.Length * sizeof(ulong), out byte* table))
        {
            new ReadOnlySpan<ulong>(table, entries.Length).CopyTo(entries);
            return entries.Length;
        }
        for (int i = 0; i < entries.Length; i++)
        {
            if (!memory.TryMap(hpa + (ulong)i * sizeof(ulong), sizeof(ulong), out byte* pointer)) return i;
            entries[i] = Shared.Load((ulong*)pointer);
        }
        return entries.Length;
    }

    /// <summary>Unmaps the image. No view of it may be used any more.</summary>
    public void Dispose()
    {
        if (_extents == null) return;
        NativeMemory.Free(_extents);
        _extents = null;
        _file.Dispose();
    }
}
