using Pagoda.Machine.Boot;

namespace Pagoda.Machine.BuiltinGuest;

/// <summary>The built-in guest's memory.</summary>
/// <remarks>
/// <code>
///   7000       zero page            1D000   16-bit entry of others     24000   cells that processors share
///   A000       others' stacks       1E000   stack, down from 1FE00     28000   first tables (2 MiB pages)
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

    /// <summary>Where a processor starts that another one wakes: a page of the first MiB.</summary>
    internal const uint StartupGpa = 0x1D000;

    internal const uint StackBottom = 0x1E000;
    internal const uint StackTop = 0x1FE00;

    internal const uint ErrorCountCell = StackTop;
    internal const uint ZeroPageCell = StackTop + 0x08;
    internal const uint NextTableCell = StackTop + 0x10;
    internal const uint RangeCountCell = StackTop + 0x18;
    internal const uint WordCountCell = StackTop + 0x20;

    internal const uint TeamCell = StackTop + 0x28;
    internal const uint JoinedCell = StackTop + 0x30;
    internal const uint ArrivedCell = StackTop + 0x38;
    internal const uint PhaseCell = StackTop + 0x40;
    internal const uint TaskCell = StackTop + 0x48;
    internal const uint TaskOrderCell = StackTop + 0x50;
    internal const uint TaskMultiplierCell = StackTop + 0x58;
    internal const uint TaskMaskCell = StackTop + 0x60;
    internal const uint TaskVerifiesCell = StackTop + 0x68;
    internal const uint TeamErrorsCell = StackTop + 0x70;
    internal const uint PrintLockCell = StackTop + 0x78;

    // The other processors' stacks, down from the program.
    internal const uint OtherStacksTop = MemoryCheckProgram.Gpa;
    internal const int OtherStackBytes = 384;

    // What the processors change all at once, most of it on lines of its own.
    internal const uint CounterCell = 0x24000;
    internal const uint TicketCell = 0x24040;
    internal const uint TicketSumCell = 0x24080;
    internal const uint LockCell = 0x240C0;
    internal const uint GuardedCell = 0x240C8;
    internal const uint ComparedCell = 0x24100;
    internal const uint PairCell = 0x24140;
    internal const uint ExchangedCell = 0x24180;
    internal const uint ExchangedSumCell = 0x241C0;
    internal const uint SplitCell = 0x2423C;            // crosses a line
    internal const uint GuardedFarCell = 0x25000;

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
