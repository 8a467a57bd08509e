using System;
using System.Collections.Generic;
using System.IO;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Machine.Dump;

/// <summary>Writes an arena to a core file: every frame in use, and the roots of the trees in it.</summary>
/// <remarks>
/// Use, when nothing changes the arena any more:
/// <code>
/// ElfCoreWriter.CheckTarget(path);                                        // before the run: may it be written?
/// CoreRoot root = ArenaDump.RootOf("guest", in pmap.Format, pmap.RootRegister);
/// ArenaDump.Write(path, arena, [root]);
/// </code>
/// Exceptions as <see cref="ElfCoreWriter.Write"/>: tell their message and leave with a status; nothing is left behind.
/// </remarks>
public static unsafe class ArenaDump
{
    /// <summary>Writes the frames that are neither free nor zeroed.</summary>
    /// <exception cref="IOException">The target cannot be written; no file is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">The target or its directory may not be written.</exception>
    public static void Write(string path, Arena arena, ReadOnlySpan<CoreRoot> roots) =>
        ElfCoreWriter.Write(path, FindUsed(arena), roots);

    /// <summary>What the note says of a tree with this format and root register.</summary>
    public static CoreRoot RootOf(string guest, in PteFormat format, ulong register)
    {
        RootKind kind = format.Kind switch
        {
            TableKind.Ept => RootKind.Ept,
            TableKind.Rvi => RootKind.Npt,
            _ => RootKind.X86,
        };
        return new CoreRoot(guest, kind, register, format.Levels, format.PhysBits,
            format.EmulatesAd ? RootAccessedDirty.Emulated : RootAccessedDirty.Hardware);
    }

    private static CoreSegment[] FindUsed(Arena arena)
    {
        var segments = new List<CoreSegment>();
        uint pfn = 1;
        while (pfn < arena.FrameCount)
        {
            uint end = pfn;
            while (end < arena.FrameCount && IsUsed(arena, end)) end++;
            if (end > pfn)
            {
                ulong hpa = (ulong)pfn << Paging.PageShift;
                segments.Add(new CoreSegment(hpa, arena.DirectMap(hpa), (ulong)(end - pfn) << Paging.PageShift));
            }
            pfn = end + 1;
        }
        return [.. segments];
    }

    private static bool IsUsed(Arena arena, uint pfn) =>
        arena.Frames.StateOf(pfn) is not (FrameState.Free or FrameState.Zeroed);
}
