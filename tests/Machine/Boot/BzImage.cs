using System;
using System.Buffers.Binary;

namespace Pagoda.Tests.Machine.Boot;

/// <summary>Makes small bzImages, whole or broken.</summary>
internal sealed class BzImage
{
    public int SetupSectors { get; init; } = 2;

    public int PayloadBytes { get; init; } = 5000;

    public ushort Version { get; init; } = 0x020C;

    public byte LoadFlags { get; init; } = 1;

    public uint InitSize { get; init; } = 0x20000;

    public uint CommandLineSize { get; init; } = 255;

    public byte HeaderLength { get; init; } = 0x66;

    /// <summary>The image; byte i of the payload is i modulo 251.</summary>
    public byte[] ToArray()
    {
        int start = ((SetupSectors == 0 ? 4 : SetupSectors) + 1) * 512;
        var image = new byte[start + PayloadBytes];
        image[0x1F1] = (byte)SetupSectors;
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x1F4), (uint)((PayloadBytes + 15) / 16));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x1FE), 0xAA55);
        image[0x201] = HeaderLength;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), Version);
        image[0x211] = LoadFlags;
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x238), CommandLineSize);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x260), InitSize);
        for (int i = 0; i < PayloadBytes; i++) image[start + i] = (byte)(i % 251);
        return image;
    }
}
