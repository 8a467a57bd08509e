using System;
using System.IO;
using System.Text;
using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed unsafe class LibcFileKindTests
{
    [TestCase("/dev/null", Libc.FileKind.Special)]
    [TestCase("/", Libc.FileKind.Directory)]
    [TestCase("/no/such/thing", Libc.FileKind.None)]
    [TestCase("", Libc.FileKind.None)]
    public void APathIsToldByItsKind(string path, Libc.FileKind kind) => Assert.That(KindOf(path), Is.EqualTo(kind));

    [Test]
    public void LinksAreFollowed()
    {
        string folder = Directory.CreateTempSubdirectory("pagoda-kind-").FullName;
        try
        {
            string file = Path.Combine(folder, "größe");
            File.WriteAllText(file, "");
            File.CreateSymbolicLink(Path.Combine(folder, "link"), file);
            File.CreateSymbolicLink(Path.Combine(folder, "broken"), Path.Combine(folder, "missing"));

            Assert.That(KindOf(file), Is.EqualTo(Libc.FileKind.Regular));
            Assert.That(KindOf(Path.Combine(folder, "link")), Is.EqualTo(Libc.FileKind.Regular));
            Assert.That(KindOf(Path.Combine(folder, "broken")), Is.EqualTo(Libc.FileKind.None));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Libc.FileKind KindOf(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0')) return Libc.KindOf(name);
    }
}
