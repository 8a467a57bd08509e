using System;
using System.Buffers.Binary;

namespace Pagoda.Machine.Boot;

/// <summary>The page of boot parameters that a Linux kernel is handed.</summary>
/// <remarks>Linux, Documentation/arch/x86/zero-page.rst and boot.rst. All numbers are little-endian.</remarks>
public static class ZeroPage
{
    /// <summary>Bytes of the page.</summary>
    public const int Bytes = 4096;

    internal const int HeaderOffset = 0x1F1;
    internal const int SystemSizeOffset = 0x1F4;
    internal const int BootFlagOffset = 0x1FE;
    internal const int HeaderLengthOffset = 0x201;
    internal const int MagicOffset = 0x202;
    internal const int VersionOffset = 0x206;
    internal const int LoaderTypeOffset = 0x210;
    internal const int LoadFlagsOffset = 0x211;
    internal const int CodeStartOffset = 0x214;
    internal const int CommandLineOffset = 0x228;
    internal const int CommandLineSizeOffset = 0x238;
    internal const int InitSizeOffset = 0x260;
    internal const int HeaderEndMax = 0x290;
    internal const int EntryCountOffset = 0x1E8;
    internal const int EntriesOffset = 0x2D0;
    internal const int CommandLineBytesMax = 2047;

    private const int VideoModeOffset = 0x06;
    private const int VideoColumnsOffset = 0x07;
    private const int VideoLinesOffset = 0x0E;
    private const int VideoIsVgaOffset = 0x0F;
    private const int VideoPointsOffset = 0x10;
    private const byte LoaderUndefined = 0xFF;

    /// <summary>Fills a page: the kernel's header, the loader's fields, the memory map, VGA text of 80 by 25.</summary>
    /// <param name="page">A page of zeros.</param>
    /// <param name="header">The kernel's header from offset 0x1F1 on; empty for none.</param>
    /// <param name="loadAddress">Where the kernel's protected-mode part lies.</param>
    /// <param name="commandLine">Where its command line lies, ended by a zero.</param>
    /// <param name="map">The memory that it is told of.</param>
    public static void Fill(
        Span<byte> page, ReadOnlySpan<byte> header, uint loadAddress, uint commandLine, MemoryMap map)
    {
        header.CopyTo(page[HeaderOffset..HeaderEndMax]);
        page[VideoModeOffset] = 3;
        page[VideoColumnsOffset] = 80;
        page[VideoLinesOffset] = 25;
        page[VideoIsVgaOffset] = 1;
        page[VideoPointsOffset] = 16;
        page[LoaderTypeOffset] = LoaderUndefined;
        BinaryPrimitives.WriteUInt32LittleEndian(page[CodeStartOffset..], loadAddress);
        BinaryPrimitives.WriteUInt32LittleEndian(page[CommandLineOffset..], commandLine);
        page[EntryCountOffset] = (byte)map.Entries.Length;
        Span<byte> next = page[EntriesOffset..];
        foreach (E820Entry entry in map.Entries)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(next, entry.Address);
            BinaryPrimitives.WriteUInt64LittleEndian(next[8..], entry.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(next[16..], (uint)entry.Type);
            next = next[E820Entry.EncodedBytes..];
        }
    }
}
