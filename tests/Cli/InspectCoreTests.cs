using System;
using System.Buffers.Binary;
using System.IO;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Machine.Dump;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

public sealed unsafe class InspectCoreTests
{
    private const int PageBytes = 4096;
    private const int ProgramAt = 64;
    private const int ProgramBytes = 56;

    private static readonly CoreRoot s_root = new("g", RootKind.Ept, 0x105E, 4, 46, RootAccessedDirty.Hardware);

    [Test]
    public void WhatIsWrittenIsRead()
    {
        using var image = new ImageFile(0);
        InspectCore core = Read(image, MakeCore(image, 3));

        Assert.That(core.Roots, Is.EqualTo(new[] { s_root }));
        Assert.That(core.Extents, Has.Length.EqualTo(3));
        Assert.That(core.Extents[2].Hpa, Is.EqualTo(5UL * PageBytes));
        Assert.That(core.Extents[2].Bytes, Is.EqualTo((ulong)PageBytes));
    }

    [Test]
    public void ManySegmentsAreRead()
    {
        using var image = new ImageFile(0);
        InspectCore core = Read(image, MakeCore(image, ElfCore.ManyProgramHeaders + 3));

        Assert.That(core.Extents, Has.Length.EqualTo(ElfCore.ManyProgramHeaders + 3));
    }

    [TestCase(0, 0x00UL, "not an ELF64 core")]
    [TestCase(54, 0x00UL, "another size")]
    [TestCase(32, 0x7FFF_FFFF_0000_0000UL, "cut off")]
    [TestCase(ProgramAt + 8, 0x7FFF_FFFF_0000_0000UL, "segment 0 lies beyond its end")]
    [TestCase(ProgramAt + ProgramBytes + 8, 0xFFFF_FFFF_FFFF_FFF8UL, "segment 1 lies beyond its end")]
    [TestCase(ProgramAt + ProgramBytes + 24, 0xFFFF_FFFF_FFFF_FFF8UL, "segment 1 passes 2^64")]
    [TestCase(ProgramAt + ProgramBytes + 24, 0x1001UL, "segment 1 is not aligned")]
    [TestCase(ProgramAt + ProgramBytes + 24, 0x3008UL, "two segments overlap")]
    [TestCase(ProgramAt, 0x0UL, "no PAGODA note")]
    public void ADamagedHeaderIsNamed(int at, ulong value, string reason)
    {
        using var image = new ImageFile(0);
        byte[] core = MakeCore(image, 3);
        BinaryPrimitives.WriteUInt64LittleEndian(core.AsSpan(at), value);

        Assert.That(() => Read(image, core), Throws.TypeOf<CliException>().With.Message.Contains(reason));
    }

    [TestCase("{\"version\":1,\"roots\":[", "]broken")]
    [TestCase("\"kind\":\"ept\"", "\"kind\":\"xyz\"")]
    [TestCase("\"version\":1", "\"version\":9")]
    [TestCase("\"levels\":4", "\"levels\":7")]
    [TestCase("\"register\":\"0x1", "\"register\":\"0xq")]
    public void ANoteThatSaysSomethingElseIsRefused(string from, string to)
    {
        using var image = new ImageFile(0);
        byte[] core = MakeCore(image, 1);
        int at = core.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(from));
        System.Text.Encoding.ASCII.GetBytes(to).CopyTo(core, at);

        Assert.That(() => Read(image, core), Throws.TypeOf<CliException>().With.Message.Contains("PAGODA note"));
    }

    [Test]
    public void AnyDamageIsAnErrorOrHarmless()
    {
        using var image = new ImageFile(0);
        byte[] whole = MakeCore(image, 2);
        var random = new SeededGenerator(0x41);
        int refused = 0;
        for (int round = 0; round < 150; round++)
        {
            byte[] core = [.. whole];
            for (int i = 0; i < 3; i++) core[random.Below(420)] = (byte)random.Next();
            int length = random.OneIn(3) ? random.Below(core.Length) : core.Length;
            File.WriteAllBytes(image.PathOf("damaged"), core.AsSpan(0, length).ToArray());
            CliResult result = CliRunner.Run("inspect", image.PathOf("damaged"), "--walk", "0x1000");
            Assert.That(result.Status, Is.AnyOf(0, 2), random + ": " + result.Error);
            refused += result.Status == 2 ? 1 : 0;
        }
        Assert.That(refused, Is.GreaterThan(25));
    }

    private static byte[] MakeCore(ImageFile image, int segmentCount)
    {
        using var region = new GuardedRegion(PageBytes, PageBytes);
        var segments = new CoreSegment[segmentCount];
        for (int i = 0; i < segmentCount; i++)
        {
            segments[i] = new CoreSegment((ulong)(2 * i + 1) * PageBytes, region.Base, PageBytes);
        }
        ElfCoreWriter.Write(image.PathOf("core"), segments, [s_root]);
        return segmentCount > 9 ? [] : File.ReadAllBytes(image.PathOf("core"));
    }

    private static InspectCore Read(ImageFile image, byte[] core)
    {
        string path = image.PathOf("core");
        if (core.Length > 0) File.WriteAllBytes(path, core);
        using MappedFile file = MappedFile.Open(path);
        return InspectCore.Read(file, path);
    }
}
