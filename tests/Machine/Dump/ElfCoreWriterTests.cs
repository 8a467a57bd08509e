using System;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine.Dump;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Dump;

public sealed unsafe class ElfCoreWriterTests
{
    private const int PageBytes = 4096;

    private static readonly CoreRoot s_root =
        new("toy \"guest\"", RootKind.Ept, 0x105E, 4, 46, RootAccessedDirty.Emulated);

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pagoda-dump-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void RunsLandPageAlignedAndInOrderWithTheirAddresses()
    {
        byte[] file = WriteTwoRuns(PathOf("core"));

        Assert.That(BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(56)), Is.EqualTo(3), "program headers");
        Assert.That(Field(file, 1, 24), Is.EqualTo(0x1000UL), "first run's p_paddr");
        Assert.That(Field(file, 2, 24), Is.EqualTo(0x40_0000UL), "second run's p_paddr");
        ulong first = Field(file, 1, 8);
        ulong second = Field(file, 2, 8);
        Assert.That(first % PageBytes, Is.Zero);
        Assert.That(second, Is.EqualTo(first + 2 * PageBytes));
        Assert.That(file, Has.Length.EqualTo((int)second + PageBytes));
        Assert.That(file[(int)first], Is.EqualTo(0x11));
        Assert.That(file[(int)first + PageBytes], Is.Zero, "the zero page");
        Assert.That(file[(int)second], Is.EqualTo(0x33));
    }

    [Test]
    public void TheNoteHoldsTheRootsAsJson()
    {
        byte[] file = WriteTwoRuns(PathOf("core"));

        int at = (int)Field(file, 0, 8);
        int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 4));
        Assert.That(Encoding.ASCII.GetString(file, at + 12, 7), Is.EqualTo("PAGODA\0"));
        ReadOnlySpan<byte> descriptor = file.AsSpan(at + 20, length);
        Assert.That(CoreNote.TryRead(descriptor, out CoreRoot[] roots), Is.True, Encoding.UTF8.GetString(descriptor));
        Assert.That(roots, Is.EqualTo(new[] { s_root }));
    }

    [Test]
    public void MoreRunsThanTheHeaderCountsAreCountedInASectionHeader()
    {
        using var region = new GuardedRegion(PageBytes, PageBytes);
        var segments = new CoreSegment[ElfCore.ManyProgramHeaders];
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i] = new CoreSegment((ulong)i * 2 * PageBytes, region.Base, PageBytes);
        }
        string path = PathOf("core");
        ElfCoreWriter.Write(path, segments, [s_root]);

        string headers = Run(Capability.RequireProgram("readelf"), "-hl", path);
        Assert.That(headers, Does.Contain("65535 (" + (segments.Length + 1) + ")"));
        Assert.That(headers, Does.Not.Contain("Warning"));
    }

    [Test]
    public void ReadelfAcceptsTheFile()
    {
        WriteTwoRuns(PathOf("core"));
        string text = Run(Capability.RequireProgram("readelf"), "-hln", PathOf("core"));

        Assert.That(text, Does.Contain("CORE (Core file)"));
        Assert.That(text, Does.Contain("0x0000000000400000 0x0000000000400000"));
        Assert.That(text, Does.Contain("PAGODA"));
        Assert.That(text, Does.Not.Contain("Warning").And.Not.Contain("Error"));
    }

    [Test]
    public void GdbReadsMemoryAtTheHostPhysicalAddress()
    {
        WriteTwoRuns(PathOf("core"));
        string text = Run(Capability.RequireProgram("gdb"), "-nx", "-batch", "-ex", "x/xb 0x400000",
            "-c", PathOf("core"));

        Assert.That(text, Does.Match(@"0x400000:\s+0x33"));
    }

    [Test]
    public void ATargetThatCannotBeWrittenIsRefusedAndNothingIsLeft()
    {
        string missing = Path.Combine(_folder, "no", "core");
        Assert.That(() => ElfCoreWriter.CheckTarget(missing), Throws.InstanceOf<IOException>());
        Assert.That(() => ElfCoreWriter.Write(missing, default, [s_root]), Throws.InstanceOf<IOException>());
        Assert.That(() => ElfCoreWriter.CheckTarget(_folder), Throws.InstanceOf<IOException>());
        Assert.That(() => ElfCoreWriter.CheckTarget("/dev/null"), Throws.InstanceOf<IOException>());
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.Empty);
    }

    [Test]
    public void CheckingATargetChangesNothing()
    {
        File.WriteAllText(PathOf("old"), "old");
        ElfCoreWriter.CheckTarget(PathOf("old"));
        ElfCoreWriter.CheckTarget(PathOf("new"));

        Assert.That(File.ReadAllText(PathOf("old")), Is.EqualTo("old"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.EqualTo(new[] { PathOf("old") }));
    }

    [Test]
    public void ASymbolicLinkIsFollowed()
    {
        File.WriteAllText(PathOf("old"), "old");
        File.CreateSymbolicLink(PathOf("link"), PathOf("old"));
        WriteTwoRuns(PathOf("link"));

        Assert.That(File.ResolveLinkTarget(PathOf("link"), false)?.FullName, Is.EqualTo(PathOf("old")));
        Assert.That(File.ReadAllBytes(PathOf("old"))[1], Is.EqualTo((byte)'E'));
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private static byte[] WriteTwoRuns(string path)
    {
        using var region = new GuardedRegion(3 * PageBytes, PageBytes);
        region.Base[0] = 0x11;
        region.Base[2 * PageBytes] = 0x33;
        ElfCoreWriter.Write(path,
        [
            new CoreSegment(0x1000, region.Base, 2 * PageBytes),
            new CoreSegment(0x40_0000, region.Base + 2 * PageBytes, PageBytes),
        ], [s_root]);
        return File.ReadAllBytes(path);
    }

    private static ulong Field(byte[] file, int programHeader, int offset) =>
        BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(64 + programHeader * 56 + offset));

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, output);
        return output;
    }
}
