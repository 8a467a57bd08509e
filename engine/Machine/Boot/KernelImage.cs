using System;
using System.Buffers.Binary;
using System.Globalization;

namespace Pagoda.Machine.Boot;

/// <summary>A Linux bzImage, checked: its set-up header and its protected-mode part.</summary>
/// <remarks>
/// Linux x86 boot protocol 2.02 and later, "The Real-Mode Kernel Header". Every field is read only after the image was
/// found long enough to hold it. All numbers are little-endian.
/// <code>
///   0       1F1            202+[201]        (sectors+1)*512                         end
///   | boot  | header ..... | set-up code    | protected-mode part, 16 * syssize     |
/// </code>
/// </remarks>
public sealed class KernelImage
{
    /// <summary>The largest image that is read at all.</summary>
    public const long FileBytesMax = 1L << 30;

    private const int SectorBytes = 512;
    private const int SetupSectorsDefault = 4;
    private const int ParagraphBytes = 16;
    private const int HeaderBytesMin = 0x23C;         // up to and with cmdline_size
    private const ushort BootFlag = 0xAA55;
    private const uint HeaderMagic = 0x53726448;      // "HdrS"
    private const uint ElfMagic = 0x464C457F;
    private const ushort MachineExecutable = 0x5A4D;  // "MZ"
    private const ushort VersionMin = 0x0202;
    private const ushort VersionWithCommandLineSize = 0x0206;
    private const ushort VersionWithInitSize = 0x020A;
    private const byte LoadedHigh = 1;
    private const int CommandLineBytesDefault = 255;
    private readonly ReadOnlyMemory<byte> _image;

    private KernelImage(ReadOnlyMemory<byte> image) => _image = image;

    /// <summary>The set-up header as the image has it, from offset 0x1F1 on.</summary>
    public ReadOnlySpan<byte> Header => _image.Span[ZeroPage.HeaderOffset..HeaderEnd];

    /// <summary>The part that is loaded at 1 MiB and entered in protected mode.</summary>
    public ReadOnlyMemory<byte> Payload { get; private init; }

    /// <summary>Bytes from the load address on that the kernel needs before it reads the memory map.</summary>
    public ulong BytesNeeded { get; private init; }

    /// <summary>The longest command line that the kernel takes, without its final zero.</summary>
    public int CommandLineBytesMax { get; private init; }

    private int HeaderEnd => Math.Min(ZeroPage.HeaderLengthOffset + 1 + _image.Span[ZeroPage.HeaderLengthOffset],
        ZeroPage.HeaderEndMax);

    /// <summary>Checks an image.</summary>
    /// <exception cref="MachineException">Another format, an unsupported version, or bytes are missing.</exception>
    public static KernelImage Parse(ReadOnlyMemory<byte> image)
    {
        ReadOnlySpan<byte> bytes = image.Span;
        RequireFormat(bytes);
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[ZeroPage.VersionOffset..]);
        if (version < VersionMin)
        {
            throw Refused($"its boot protocol {version >> 8}.{version & 0xFF:x2} is older than 2.02; use a newer one");
        }
        if ((bytes[ZeroPage.LoadFlagsOffset] & LoadedHigh) == 0)
        {
            throw Refused($"it is a zImage that loads below 1 MiB; build it as a bzImage");
        }
        int sectors = bytes[ZeroPage.HeaderOffset];
        int payloadStart = ((sectors == 0 ? SetupSectorsDefault : sectors) + 1) * SectorBytes;
        long payloadBytes = (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes[ZeroPage.SystemSizeOffset..])
            * ParagraphBytes;
        if (payloadBytes == 0) throw Refused($"its protected-mode part is empty; take the file anew");
        // The size is in paragraphs of 16 bytes, so the file may end up to 15 bytes before it.
        if (bytes.Length - payloadStart + (ParagraphBytes - 1) < payloadBytes)
        {
            throw Refused(
                $"it is truncated: {bytes.Length} of {payloadStart + payloadBytes} bytes are there; get it anew");
        }
        int present = (int)Math.Min(payloadBytes, bytes.Length - payloadStart);
        return new KernelImage(image)
        {
            Payload = image.Slice(payloadStart, present),
            BytesNeeded = version >= VersionWithInitSize && bytes.Length >= ZeroPage.InitSizeOffset + sizeof(uint)
                ? Math.Max((ulong)present, BinaryPrimitives.ReadUInt32LittleEndian(bytes[ZeroPage.InitSizeOffset..]))
                : (ulong)present,
            CommandLineBytesMax = version >= VersionWithCommandLineSize
                ? (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(bytes[ZeroPage.CommandLineSizeOffset..]),
                    ZeroPage.CommandLineBytesMax)
                : CommandLineBytesDefault,
        };
    }

    private static void RequireFormat(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == ElfMagic)
        {
            throw Refused($"it is an ELF file; only a Linux bzImage can be booted");
        }
        if (bytes.Length < HeaderBytesMin)
        {
            throw Refused($"it has {bytes.Length} bytes, too few for the header of a Linux bzImage");
        }
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ZeroPage.MagicOffset..]);
        ushort flag = BinaryPrimitives.ReadUInt16LittleEndian(bytes[ZeroPage.BootFlagOffset..]);
        if (magic == HeaderMagic && flag == BootFlag) return;
        bool isExecutable = BinaryPrimitives.ReadUInt16LittleEndian(bytes) == MachineExecutable;
        throw Refused(isExecutable
            ? (FormattableString)$"it is an EFI or DOS program without a Linux header; only a bzImage can be booted"
            : $"its format is unknown, no Linux header at offset 0x202; only a Linux bzImage can be booted");
    }

    private static MachineException Refused(FormattableString why) => new(MachineSubject.Kernel,
        "not a kernel that can be booted: " + why.ToString(CultureInfo.InvariantCulture) + ".");
}
