using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// Which 64-byte lines of which frames some vCPU of a machine has decoded. One a machine, shared by its vCPUs.
/// </summary>
/// <remarks>
/// A store to a marked line raises the frame's code version, which every block compares when it is entered. The frame's
/// Code flag makes stores come by here: no vCPU gets the right to store to such a frame unseen. What makes that safe
/// between threads:
/// <code>
///   decode  read the version, mark the lines, set the flag, let everybody drop older rights to store, settle;
///           read the bytes; the version must still be the same
///   store   store the bytes, fence, look at the lines; a hit: make the version odd, clear the flag, clear the lines,
///           make the version even
/// </code>
/// Either the decoder reads the new bytes or the store sees the mark. The version rises in front of the clearing, so
/// nobody executes what was decoded before when stores go unseen again; and behind it, and no block is of an odd
/// version, so a block whose mark was cleared away has an old one. Who finds the version odd at his own hit has nothing
/// left to do. A frame is settled for one version: a marking that was overtaken by a store, or by another life of the
/// frame, settles nothing. Marks that a frame kept from an earlier life make a store raise the version once for
/// nothing.
/// </remarks>
[AllocationFree]
public sealed unsafe class CodeLines : IDisposable
{
    private readonly FrameTable _frames;
    private readonly ulong* _lines;
    private readonly uint* _settled;        // the version, and 1, for which no right to store unseen is left

    /// <summary>No line of any frame is marked.</summary>
    /// <param name="arena">The machine's memory.</param>
    public CodeLines(Arena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        _frames = arena.Frames;
        _lines = (ulong*)NativeMemory.AllocZeroed(arena.FrameCount, sizeof(ulong));
        _settled = (uint*)NativeMemory.AllocZeroed(arena.FrameCount, sizeof(uint));
    }

    /// <summary>vCPUs that share it.</summary>
    public int Sharers { get; private set; }

    /// <summary>Adds a vCPU; before any of them runs.</summary>
    public void Join() => Sharers++;

    /// <summary>The cell that counts changes of a frame's decoded bytes.</summary>
    public uint* Version(uint pfn) => _frames.CodeVersions + pfn;

    /// <summary>A version of which no block may be made: the frame's marks are being cleared.</summary>
    public static bool IsChanging(uint version) => (version & 1) != 0;

    /// <summary>Whether stores to a frame must be watched.</summary>
    public bool IsCode(uint pfn) => _frames.HasCode(pfn);

    /// <summary>Marks lines as decoded.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="lines">One bit a line.</param>
    /// <param name="version">The frame's version, for <see cref="Settle"/>.</param>
    /// <returns>True: rights to store to the frame unseen may be left; settle when there are none.</returns>
    public bool Mark(uint pfn, ulong lines, out uint version)
    {
        version = Shared.Load(Version(pfn));
        Shared.Or(&_lines[pfn], lines);
        if (!_frames.HasCode(pfn)) _frames.SetCode(pfn);
        return Shared.Load(&_settled[pfn]) != version + 1;
    }

    /// <summary>Says that nobody has a right to store to the frame unseen that is older than its mark.</summary>
    public void Settle(uint pfn, uint version) => Shared.Store(&_settled[pfn], version + 1);

    /// <summary>
    /// Behind a store to a watched frame: if it touched a marked line, every block of the frame becomes wrong and the
    /// frame is watched no more.
    /// </summary>
    /// <returns>True when it did.</returns>
    public bool Stored(uint pfn, ulong lines)
    {
        Shared.Fence();
        if ((Shared.Load(&_lines[pfn]) & lines) == 0) return false;
        if (!_frames.TryBeginCodeChange(pfn)) return true;
        _frames.ClearCode(pfn);
        Shared.Exchange(&_lines[pfn], 0);
        _frames.EndCodeChange(pfn);
        return true;
    }

    /// <summary>Frees the native memory; no vCPU uses it any more.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_lines);
        NativeMemory.Free(_settled);
    }
}
