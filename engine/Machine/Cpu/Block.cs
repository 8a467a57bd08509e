using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// A decoded run of instructions of one frame, followed in memory by its micro-ops and then by the page offset of each
/// instruction. It may go on behind conditional branches that are not taken.
/// </summary>
[AllocationFree]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Block
{
    /// <summary>Bytes of the header; the micro-ops follow.</summary>
    public const int HeaderBytes = 64;

    /// <summary>The code version of the frame; the block is stale when it differs from <see cref="Version"/>.</summary>
    public uint* VersionCell;

    /// <summary>The version when the bytes were read.</summary>
    public uint Version;

    /// <summary>The frame that holds the first byte.</summary>
    public uint Pfn;

    /// <summary>The second frame of an instruction that crosses a page, else 0.</summary>
    public uint SecondPfn;

    /// <summary>The code version of the second frame.</summary>
    public uint* SecondVersionCell;

    /// <summary>The second frame's version when the bytes were read.</summary>
    public uint SecondVersion;

    /// <summary>Next block of the same hash chain, as an offset into the arena; 0 = none.</summary>
    public uint Next;

    /// <summary>CPU mode that the bytes were decoded for.</summary>
    public uint ModeKey;

    /// <summary>Offset of the first byte in its page.</summary>
    public ushort PageOffset;

    /// <summary>Instructions in the block.</summary>
    public ushort Count;

    /// <summary>Micro-ops in the block.</summary>
    public uint OpCount;

    /// <summary>The page offset of each instruction; one more entry holds the offset behind the last.</summary>
    public ushort* Offsets;

    /// <summary>The micro-ops.</summary>
    public static MicroOp* Ops(Block* block) => (MicroOp*)((byte*)block + HeaderBytes);
}
