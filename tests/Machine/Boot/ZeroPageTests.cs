using System;
using System.Buffers.Binary;
using NUnit.Framework;
using Pagoda.Machine.Boot;

namespace Pagoda.Tests.Machine.Boot;

public sealed class ZeroPageTests
{
    [Test]
    public void TheLoaderFieldsAreFilledAndTheHeaderIsKept()
    {
        KernelImage kernel = KernelImage.Parse(new BzImage().ToArray());
        byte[] page = Fill(kernel.Header, 4UL << 20);
        Assert.That(page.AsSpan(0x202, 4).SequenceEqual("HdrS"u8));
        Assert.That(page[0x210], Is.EqualTo(0xFF), "type_of_loader");
        Assert.That(Word(page, 0x214), Is.EqualTo(0x100000u), "code32_start");
        Assert.That(Word(page, 0x228), Is.EqualTo(0x8000u), "cmd_line_ptr");
        Assert.That(Word(page, 0x260), Is.EqualTo(0x20000u), "init_size, from the kernel");
        Assert.That(page[0x268], Is.Zero, "behind the header's end");
    }

    [Test]
    public void TheMemoryMapIsPackedInTwentyByteEntries()
    {
        byte[] page = Fill([], 5UL << 30);
        Assert.That(page[0x1E8], Is.EqualTo(5));
        int last = 0x2D0 + 4 * 20;
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(last)), Is.EqualTo(4UL << 30));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(last + 8)), Is.EqualTo(2UL << 30));
        Assert.That(Word(page, last + 16), Is.EqualTo(1u));
        Assert.That(page.AsSpan(last + 20).ContainsAnyExcept((byte)0), Is.False);
    }

    [Test]
    public void TheScreenIsVgaText()
    {
        byte[] page = Fill([], 4UL << 20);
        Assert.That(new[] { page[6], page[7], page[0xE], page[0xF] }, Is.EqualTo(new byte[] { 3, 80, 25, 1 }));
    }

    private static byte[] Fill(ReadOnlySpan<byte> header, ulong memoryBytes)
    {
        var page = new byte[ZeroPage.Bytes];
        ZeroPage.Fill(page, header, 0x100000, 0x8000, new MemoryMap(memoryBytes, 46));
        return page;
    }

    private static uint Word(byte[] page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(offset));
}
