using System;
using System.IO;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Dump;

namespace Pagoda.Tests.Machine.Dump;

public sealed class PhysicalImageTests
{
    private string _path = "";

    [SetUp]
    public void MakeFile()
    {
        _path = Path.GetTempFileName();
        byte[] bytes = new byte[8192];
        for (int i = 0; i < bytes.Length / 8; i++) BitConverter.TryWriteBytes(bytes.AsSpan(i * 8), (ulong)i + 1);
        File.WriteAllBytes(_path, bytes);
    }

    [TearDown]
    public void RemoveFile() => File.Delete(_path);

    [Test]
    public void EntriesAreReadThroughTheExtents()
    {
        using PhysicalImage image = Open(new ImageExtent(0x5000, 4096, 4096), new ImageExtent(0x9000, 4092, 0));

        Assert.That(image.TryReadEntry(0x5000, out ulong entry), Is.True);
        Assert.That(entry, Is.EqualTo(513UL));
        Assert.That(image.TryReadEntry(0x9FF0, out entry), Is.True);
        Assert.That(entry, Is.EqualTo(511UL));
        Assert.That(image.TryReadEntry(0x9FF8, out entry), Is.False, "half of it is outside");
        Assert.That(image.TryReadEntry(0, out entry), Is.False);
        Assert.That(entry, Is.Zero);
    }

    [Test]
    public void ATableIsReadUpToWhereItIsCutOff()
    {
        using PhysicalImage image = Open(
            new ImageExtent(0x5000, 2048, 0), new ImageExtent(0x5800, 1024, 4096), new ImageExtent(0x9000, 4096, 0));
        ulong[] entries = new ulong[512];

        Assert.That(image.ReadTable(0x5000, entries), Is.EqualTo(384), "two extents hold one table");
        Assert.That(entries[255], Is.EqualTo(256UL));
        Assert.That(entries[256], Is.EqualTo(513UL));
        Assert.That(image.ReadTable(0x9000, entries), Is.EqualTo(512));
        Assert.That(image.ReadTable(0x6000, entries), Is.Zero);
    }

    [TestCase(0x1000UL, 8193UL, 0UL)]
    [TestCase(0x1000UL, 8UL, 8192UL)]
    [TestCase(0x1004UL, 8UL, 0UL)]
    [TestCase(0x1000UL, 8UL, 4UL)]
    [TestCase(ulong.MaxValue - 7, 16UL, 0UL)]
    public void ExtentsBeyondTheFileAreRefused(ulong hpa, ulong bytes, ulong offset)
    {
        using MappedFile file = MappedFile.Open(_path);
        Assert.That(() => new PhysicalImage(file, [new ImageExtent(hpa, bytes, offset)]),
            Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void ADisposedImageIsNotRead()
    {
        PhysicalImage image = Open(new ImageExtent(0, 4096, 0));
        image.Dispose();
        image.Dispose();
        Assert.That(() => image.TryReadEntry(0, out _), Throws.TypeOf<ObjectDisposedException>());
    }

    private PhysicalImage Open(params ImageExtent[] extents) => new(MappedFile.Open(_path), extents);
}
