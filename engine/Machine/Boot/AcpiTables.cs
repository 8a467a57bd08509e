using System;
using System.Buffers.Binary;
using Pagoda.Machine.Apic;

namespace Pagoda.Machine.Boot;

/// <summary>The ACPI tables by which a guest learns of its processors, as an image of read-only memory.</summary>
/// <remarks>
/// ACPI 6.5, chapter 5.2: the root pointer (revision 2), the root tables of 32-bit and of 64-bit pointers, and the
/// table of local APICs. The bytes of each table sum to zero.
/// <code>
///   F0000  root pointer      F0040  RSDT      F0080  XSDT      F00C0  MADT: a processor each
/// </code>
/// </remarks>
public static class AcpiTables
{
    /// <summary>Where the image lies: on one of the 16-byte steps from E0000 on that guests search.</summary>
    public const uint Gpa = 0xF0000;

    internal const int RsdtOffset = 0x40;
    internal const int XsdtOffset = 0x80;
    internal const int MadtOffset = 0xC0;
    internal const int HeaderBytes = 36;
    internal const int RootPointerBytes = 36;
    internal const int ProcessorBytes = 8;
    internal const int MadtFixedBytes = HeaderBytes + 8;

    private const int LengthOffset = 4;
    private const int RevisionOffset = 8;
    private const int ChecksumOffset = 9;
    private const int OemOffset = 10;
    private const int CreatorOffset = 28;
    private const int RootFirstPartBytes = 20;
    private const byte RootRevision = 2;
    private const byte RootTableRevision = 1;
    private const byte MadtRevision = 4;
    private const byte EntryIsProcessor = 0;
    private const uint ProcessorEnabled = 1;

    private static ReadOnlySpan<byte> Oem => "PAGODA"u8;

    /// <summary>Makes the image for so many processors, whose APICs are numbered from 0.</summary>
    public static byte[] Make(int processors)
    {
        var image = new byte[MadtOffset + MadtFixedBytes + processors * ProcessorBytes];
        Span<byte> rsdt = Table(image, RsdtOffset, "RSDT"u8, HeaderBytes + sizeof(uint), RootTableRevision);
        BinaryPrimitives.WriteUInt32LittleEndian(rsdt[HeaderBytes..], Gpa + MadtOffset);
        Seal(rsdt, ChecksumOffset);
        Span<byte> xsdt = Table(image, XsdtOffset, "XSDT"u8, HeaderBytes + sizeof(ulong), RootTableRevision);
        BinaryPrimitives.WriteUInt64LittleEndian(xsdt[HeaderBytes..], Gpa + MadtOffset);
        Seal(xsdt, ChecksumOffset);
        FillMadt(Table(image, MadtOffset, "APIC"u8, image.Length - MadtOffset, MadtRevision), processors);
        FillRoot(image.AsSpan(0, RootPointerBytes));
        return image;
    }

    private static void FillRoot(Span<byte> root)
    {
        "RSD PTR "u8.CopyTo(root);
        Oem.CopyTo(root[9..]);
        root[15] = RootRevision;
        BinaryPrimitives.WriteUInt32LittleEndian(root[16..], Gpa + RsdtOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(root[20..], RootPointerBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(root[24..], Gpa + XsdtOffset);
        Seal(root[..RootFirstPartBytes], 8);
        Seal(root, 32);
    }

    private static void FillMadt(Span<byte> madt, int processors)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(madt[HeaderBytes..], (uint)LocalApic.Gpa);
        for (int i = 0; i < processors; i++)
        {
            Span<byte> entry = madt.Slice(MadtFixedBytes + i * ProcessorBytes, ProcessorBytes);
            entry[0] = EntryIsProcessor;
            entry[1] = ProcessorBytes;
            entry[2] = (byte)i;
            entry[3] = (byte)i;
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], ProcessorEnabled);
        }
        Seal(madt, ChecksumOffset);
    }

    private static Span<byte> Table(byte[] image, int at, ReadOnlySpan<byte> signature, int bytes, byte revision)
    {
        Span<byte> table = image.AsSpan(at, bytes);
        signature.CopyTo(table);
        BinaryPrimitives.WriteUInt32LittleEndian(table[LengthOffset..], (uint)bytes);
        table[RevisionOffset] = revision;
        Oem.CopyTo(table[OemOffset..]);
        "PagodaVM"u8.CopyTo(table[(OemOffset + 6)..]);
        "PGDA"u8.CopyTo(table[CreatorOffset..]);
        return table;
    }

    // Makes the sum of all bytes zero.
    private static void Seal(Span<byte> table, int checksumOffset)
    {
        byte sum = 0;
        foreach (byte value in table) sum += value;
        table[checksumOffset] -= sum;
    }
}
