using System;
using System.Globalization;
using Pagoda.Core;

namespace Pagoda.Machine.Boot;

/// <summary>Where a machine's memory lies: low memory below 3 GiB, the rest from 4 GiB on, the PC's holes.</summary>
/// <remarks>
/// <code>
///   0        A0000     B8000      C0000   100000          low end       100000000      high end
///   | memory | nothing | VGA text | ROM   | memory ...... |   nothing   | memory ..... |
/// </code>
/// The low end is C0000000 at most. The bytes from A0000 to 100000 of the asked memory lie behind the holes and are
/// lost, as on a PC.
/// </remarks>
public sealed class MemoryMap
{
    /// <summary>The smallest memory: the first MiB and as much above it.</summary>
    public const ulong BytesMin = 2UL << 20;

    /// <summary>Where low memory ends at most.</summary>
    public const ulong LowLimit = 3UL << 30;

    /// <summary>Where high memory starts.</summary>
    public const ulong HighStart = 4UL << 30;

    /// <summary>Where conventional memory ends and the holes begin.</summary>
    public const ulong HoleStart = 0xA0000;

    /// <summary>The VGA text memory.</summary>
    public const ulong VgaTextStart = 0xB8000;

    /// <summary>Bytes of VGA text memory.</summary>
    public const ulong VgaTextBytes = 0x8000;

    /// <summary>The read-only memory, which holds zeros.</summary>
    public const ulong RomStart = 0xC0000;

    /// <summary>Where memory goes on above the holes.</summary>
    public const ulong ExtendedStart = 0x100000;

    private const ulong ExtendedBiosStart = 0x9FC00;
    private const ulong BiosStart = 0xF0000;
    private const int FixedEntries = 4;
    private readonly E820Entry[] _entries;

    /// <summary>Lays out <paramref name="bytes"/> of memory.</summary>
    /// <param name="bytes">Whole pages, at least <see cref="BytesMin"/>.</param>
    /// <param name="physBits">Width of a guest-physical address.</param>
    /// <exception cref="MachineException">Not whole pages, too small, or beyond the guest's addresses.</exception>
    public MemoryMap(ulong bytes, int physBits)
    {
        if ((bytes & Paging.PageOffsetMask) != 0)
        {
            throw Refused(bytes, "are not a whole number of pages; use a multiple of 4096");
        }
        if (bytes < BytesMin)
        {
            throw Refused(bytes, "are too few for the PC's first MiB and a guest; use at least 2M");
        }
        if (bytes > (1UL << physBits) - (HighStart - LowLimit))
        {
            throw Refused(bytes, string.Create(CultureInfo.InvariantCulture,
                $"reach beyond the guest's {physBits} address bits; use less"));
        }
        Bytes = bytes;
        LowEnd = Math.Min(bytes, LowLimit);
        HighEnd = bytes > LowLimit ? HighStart + (bytes - LowLimit) : 0;
        _entries = new E820Entry[FixedEntries + (HighEnd != 0 ? 1 : 0)];
        _entries[0] = new E820Entry(0, ExtendedBiosStart, E820Type.Memory);
        _entries[1] = new E820Entry(ExtendedBiosStart, HoleStart - ExtendedBiosStart, E820Type.Reserved);
        _entries[2] = new E820Entry(BiosStart, ExtendedStart - BiosStart, E820Type.Reserved);
        _entries[3] = new E820Entry(ExtendedStart, LowEnd - ExtendedStart, E820Type.Memory);
        if (HighEnd != 0) _entries[4] = new E820Entry(HighStart, HighEnd - HighStart, E820Type.Memory);
    }

    /// <summary>The memory that was asked for, in bytes.</summary>
    public ulong Bytes { get; }

    /// <summary>Where memory below 4 GiB ends.</summary>
    public ulong LowEnd { get; }

    /// <summary>Where memory above 4 GiB ends; 0 when there is none.</summary>
    public ulong HighEnd { get; }

    /// <summary>What the guest is told, by ascending address.</summary>
    public ReadOnlySpan<E820Entry> Entries => _entries;

    private static MachineException Refused(ulong bytes, string why) => new(MachineSubject.Memory,
        string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes {why}."));
}
