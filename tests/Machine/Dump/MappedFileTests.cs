using System;
using System.IO;
using NUnit.Framework;
using Pagoda.Machine.Dump;

namespace Pagoda.Tests.Machine.Dump;

public sealed unsafe class MappedFileTests
{
    private string _path = "";

    [SetUp]
    public void MakeFile()
    {
        _path = Path.GetTempFileName();
        File.WriteAllBytes(_path, [1, 2, 3, 4, 5]);
    }

    [TearDown]
    public void RemoveFile() => File.Delete(_path);

    [Test]
    public void WritesStayPrivate()
    {
        using (MappedFile file = MappedFile.Open(_path))
        {
            file.Bytes[1] = 99;
            Span<byte> read = stackalloc byte[2];
            Assert.That(file.TryRead(1, read), Is.True);
            Assert.That(read.ToArray(), Is.EqualTo(new byte[] { 99, 3 }));
        }
        Assert.That(File.ReadAllBytes(_path), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5 }));
    }

    [TestCase(5UL, 0, true)]
    [TestCase(4UL, 1, true)]
    [TestCase(4UL, 2, false)]
    [TestCase(6UL, 0, false)]
    [TestCase(ulong.MaxValue, 1, false)]
    public void ReadsEndWithTheFile(ulong offset, int count, bool fits)
    {
        using MappedFile file = MappedFile.Open(_path);
        Assert.That(file.TryRead(offset, new byte[count]), Is.EqualTo(fits));
    }

    [Test]
    public void AnEmptyFileHasNoBytes()
    {
        File.WriteAllBytes(_path, []);
        using MappedFile file = MappedFile.Open(_path);
        Assert.That(file.Length, Is.Zero);
        Assert.That(file.TryRead(0, default), Is.True);
    }

    [TestCase("/dev/zero")]
    [TestCase("/")]
    [TestCase("/no/such/file")]
    public void OnlyRegularFilesAreMapped(string path) =>
        Assert.That(() => MappedFile.Open(path), Throws.InstanceOf<IOException>().With.Message.Contains(path));

    [Test]
    public void AClosedFileIsNotRead()
    {
        MappedFile file = MappedFile.Open(_path);
        file.Dispose();
        file.Dispose();
        Assert.That(() => file.TryRead(0, new byte[1]), Throws.TypeOf<ObjectDisposedException>());
    }
}
