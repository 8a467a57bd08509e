using Pagoda.Machine.Boot;

namespace Pagoda.Machine.BuiltinGuest;

/// <summary>The built-in guest's memory.</summary>
/// <remarks>
/// <code>
///   7000       zero page            1E000   stack, down from 1FE00     28000   first tables (2 MiB pages)
///   10000      32-bit entry, data   1FE00   cells                      30000   checked memory
///   10200      64-bit program       20000   ranges to check            100000  final tables, then checked memory
/// </code>
/// </remarks>
internal static class MemoryCheckLayout
{
    internal const uint LongModeGpa = MemoryCheckProgram.Gpa + 0x200;

    internal const int EntryDataBytes = 0x40;
    internal const uint EntryDataGpa = LongModeGpa - EntryDataBytes;
    internal const uint DescriptorRegisterGpa = EntryDataGpa + 0x20;
    internal const uint FarTargetGpa = EntryDataGpa + 0x30;

    internal const uint StackBottom = 0x1E000;
    internal const uint StackTop = 0x1FE00;

    internal const uint ErrorCountCell = StackTop;
    internal const uint ZeroPageCell = StackTop + 0x08;
    internal const uint NextTableCell = StackTop + 0x10;
    internal const uint RangeCountCell = StackTop + 0x18;
    internal const uint WordCountCell = StackTop + 0x20;

    /// <summary>Pairs of first address and number of words.</summary>
    internal const uint Ranges = 0x20000;

    internal const uint EarlyTables = 0x28000;

    /// <summary>Page directories of the first map; each maps 1 GiB.</summary>
    internal const int EarlyDirectories = 4;

    internal const uint ReservedEnd = 0x30000;
    internal const uint FinalTables = (uint)MemoryMap.ExtendedStart;
    internal const int PageBytes = 4096;
    internal const int EntriesPerTable = 512;

    // Bits of the guest's own page tables.
    internal const int PresentWritable = 0x03;
    internal const int PresentWritableLarge = 0x83;
    internal const int AccessedDirty = 0x60;
    internal const byte NoExecuteBit = 63;

    internal const ushort CodeSelector = 0x08;
    internal const ushort DataSelector = 0x10;
}
