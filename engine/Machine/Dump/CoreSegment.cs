using Pagoda.Core;

namespace Pagoda.Machine.Dump;

/// <summary>A run of whole pages of physical memory, there at <see cref="Memory"/> while a core is written.</summary>
public readonly unsafe struct CoreSegment
{
    /// <summary>First byte's host-physical address; page-aligned.</summary>
    public readonly ulong Hpa;

    /// <summary>The bytes.</summary>
    public readonly byte* Memory;

    /// <summary>Length in bytes; a multiple of the page, not zero.</summary>
    public readonly ulong Bytes;

    /// <summary>A run of <paramref name="bytes"/> at <paramref name="hpa"/>, from <paramref name="memory"/>.</summary>
    public CoreSegment(ulong hpa, byte* memory, ulong bytes)
    {
        Invariant.Require((hpa & Paging.PageOffsetMask) == 0);
        Invariant.Require((bytes & Paging.PageOffsetMask) == 0);
        Invariant.Require(bytes != 0);
        Invariant.Require(memory != null);
        Hpa = hpa;
        Memory = memory;
        Bytes = bytes;
    }
}
