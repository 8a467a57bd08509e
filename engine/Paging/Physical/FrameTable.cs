using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>The bookkeeping of an arena's frames: one record a frame, and a column for each fact swept alone.</summary>
/// <remarks>
/// <para>
/// 21 bytes a frame (5.25 MiB a GiB), committed by the kernel as they are touched. The record serves the fault path,
/// which needs all of it: one cache line a frame. The age column serves the aging sweep, 64 frames a line; the code
/// version column serves the decoded blocks' test at entry.
/// </para>
/// <para>Frame 0 is never given out: 0 means "none" in every field and result.</para>
/// </remarks>
[AllocationFree]
public sealed unsafe partial class FrameTable : IDisposable
{
    /// <summary>The age of a page that shall go next: older than most, and young enough not to wrap around soon.
    /// </summary>
    internal const byte ColdAge = 192;

    private readonly NativeRegion _records;     // The regions keep the columns mapped.
    private readonly NativeRegion _ages;
    private readonly NativeRegion _codeVersions;

    /// <summary>Makes the columns for frames 0 to <paramref name="frameCount"/> - 1, all of them Free.</summary>
    /// <exception cref="InsufficientMemoryException">The system refused the mapping.</exception>
    internal FrameTable(uint frameCount)
    {
        Invariant.Require(sizeof(FrameRecord) == FrameRecord.Bytes);
        FrameCount = frameCount;
        _records = NativeRegion.Map((nuint)frameCount * FrameRecord.Bytes);
        _ages = NativeRegion.Map(frameCount);
        _codeVersions = NativeRegion.Map((nuint)frameCount * sizeof(uint));
        Records = (FrameRecord*)_records.Base;
        Ages = _ages.Base;
        CodeVersions = (uint*)_codeVersions.Base;
    }

    /// <summary>Bookkeeping bytes of one frame, in all columns.</summary>
    public static int BytesPerFrame => FrameRecord.Bytes + sizeof(byte) + sizeof(uint);

    /// <summary>Frames of the arena, frame 0 included.</summary>
    public uint FrameCount { get; }

    /// <summary>The records, by frame number.</summary>
    public FrameRecord* Records { get; }

    /// <summary>
    /// The aging generation, modulo 256, in which each frame was last seen used. Frame 0, which is nobody's, holds the
    /// current generation.
    /// </summary>
    public byte* Ages { get; }

    /// <summary>
    /// Raised whenever decoded instructions of a frame may have become wrong; odd while that goes on.
    /// </summary>
    public uint* CodeVersions { get; }

    /// <summary>The record of a frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FrameRecord* Record(uint pfn)
    {
        Invariant.Assert(pfn != 0);
        Invariant.Assert(pfn < FrameCount);
        return Records + pfn;
    }

    /// <summary>The state of a frame at this moment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FrameState StateOf(uint pfn) =>
        (FrameState)(Shared.Load(&Record(pfn)->Word) & FrameRecord.StateMask);

    /// <summary>Unmaps the columns.</summary>
    public void Dispose()
    {
        _records.Dispose();
        _ages.Dispose();
        _codeVersions.Dispose();
    }
}
