using System;
using System.IO;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

public sealed class InspectProbeTests
{
    [Test]
    public void EptProbesSayWhatHardwareDoesAndShowTheEntriesAfterwards()
    {
        using ImageFile image = ImageFile.MakeEpt();
        string probes = image.Text("""
            # reads, then writes
            r 0x1234
            w 1234

            x 0x200010      # a superpage
            w 0x200010
            r 0x40000000
            x 0x400000
            r 600000
            r 0x8000000000
            r 0x10000000000
            w 0x1000000000000
            """);
        CliResult result = image.Inspect("ept", "0x1000", "--probe", probes);

        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Is.EqualTo("""
            ok 0x101234 0x2107 0x3107 0x4107 0x101177
            ok 0x101234 0x2107 0x3107 0x4107 0x101377
            ok 0x200010 0x2107 0x3107 0x2001f5
            violation 0x1aa 0x2107 0x3107 0x2001f5
            ok 0x40000000 0x2107 0x400001f7
            violation 0x19c 0x2107 0x3107 0x5003 0x9ff377
            misconfig 0x2107 0x3107 0xb2
            outside 0x300007
            violation 0x181 0x0
            violation 0x182

            """));
    }

    [TestCase("0x101e", "")]
    [TestCase("0x1000", "--no-ad")]
    [TestCase("0x105e", "--no-ad")]
    public void WithoutAccessedAndDirtyFlagsNothingIsSet(string root, string option)
    {
        using ImageFile image = ImageFile.MakeEpt();
        string[] more = ["--probe", image.Text("w 0x1234\n"), .. option.Length > 0 ? new[] { option } : []];
        CliResult result = image.Inspect("ept", root, more);

        Assert.That(result.Output, Is.EqualTo("ok 0x101234 0x2007 0x3007 0x4007 0x101077\n"), result.Error);
    }

    [Test]
    public void NptProbesAreUserAccesses()
    {
        using ImageFile image = ImageFile.MakeX86();
        string probes = image.Text("w 1010\nw 2010\nr 3010\nx 4010\nr 5010\nr 6010\nx 200010\n");
        CliResult result = image.Inspect("npt", "0x1000", "--probe", probes);

        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Is.EqualTo("""
            ok 0x101010 0x2027 0x3027 0x4027 0x101067
            npf 0x100000007 0x2027 0x3027 0x4027 0x102005
            npf 0x100000005 0x2027 0x3027 0x4027 0x103003
            npf 0x100000015 0x2027 0x3027 0x4027 0x8000000000104007
            npf 0x10000000d 0x2027 0x3027 0x4027 0x400000105007
            npf 0x100000004 0x2027 0x3027 0x4027 0x0
            ok 0x200010 0x2027 0x3027 0x2000a7

            """));
    }

    [Test]
    public void X86ProbesTellUserFromSupervisor()
    {
        using ImageFile image = ImageFile.MakeX86();
        string probes = image.Text("ru 1010\nwu 2010\nw 2010\nru 3010\nr 3010\nxu 4010\nr 800000000000\n");
        CliResult result = image.Inspect("x86", "0x1000", "--probe", probes);

        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Is.EqualTo("""
            ok 0x101010 0x2027 0x3027 0x4027 0x101027
            pf 0x7 0x2027 0x3027 0x4027 0x102005
            pf 0x3 0x2027 0x3027 0x4027 0x102005
            pf 0x5 0x2027 0x3027 0x4027 0x103003
            ok 0x103010 0x2027 0x3027 0x4027 0x103023
            pf 0x15 0x2027 0x3027 0x4027 0x8000000000104007
            gp

            """));
    }

    [TestCase("w 2010", "--no-wp", "ok 0x102010")]
    [TestCase("r 4010", "--no-nxe", "pf 0x9")]
    [TestCase("x 1010", "--smep", "pf 0x11")]
    [TestCase("r 1010", "--smap", "pf 0x1")]
    [TestCase("x 1010", "--smap", "ok 0x101010")]
    public void ControlRegistersBendX86Accesses(string probe, string option, string outcome)
    {
        using ImageFile image = ImageFile.MakeX86();
        CliResult result = image.Inspect("x86", "0x1000", option, "--probe", image.Text(probe));

        Assert.That(result.Output, Does.StartWith(outcome + " "), result.Error);
    }

    [Test]
    public void JsonIsOneObjectALineAndNothingElse()
    {
        using ImageFile image = ImageFile.MakeEpt();
        string probes = image.Text("r 0x1234\nw 200000\nr 600000\nr 8000000000\nr 1000000000000");
        CliResult result = image.Inspect("ept", "0x105e", "--json", "--probe", probes);

        string[] lines =
        [
            Line("r", "0x1234", "ok", "\"0x101234\"", "null", "\"0x2107\",\"0x3107\",\"0x4107\",\"0x101177\""),
            Line("w", "0x200000", "violation", "null", "\"0x1aa\"", "\"0x2107\",\"0x3107\",\"0x2000f5\""),
            Line("r", "0x600000", "misconfig", "null", "null", "\"0x2107\",\"0x3107\",\"0xb2\""),
            Line("r", "0x8000000000", "outside", "null", "null", "\"0x300007\""),
            Line("r", "0x1000000000000", "violation", "null", "\"0x181\"", ""),
        ];
        Assert.That(result.Output, Is.EqualTo(string.Concat(lines)), result.Error);
    }

    [Test]
    public void TheFileStaysAsItIs()
    {
        using ImageFile image = ImageFile.MakeEpt();
        byte[] before = image.Bytes.ToArray();
        string path = image.Path;
        string probes = image.Text("w 0x1234\n");
        CliResult result = CliRunner.Run(
            "inspect", path, "--raw", "--format", "ept", "--root", "1000", "--probe", probes);

        Assert.That(result.Output, Does.Contain("0x101377"));
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(before));
    }

    [Test]
    public void AnEntryMetTwiceIsShownAsItIsAfterwards()
    {
        using var image = new ImageFile(2);
        image.Set(0x1000, 1, 0x1037 & ~0x30UL);
        // Every level is the same entry; the last reads it as a leaf, whose type 0 is uncacheable.
        CliResult result = image.Inspect("ept", "0x1000", "--probe", image.Text("w 0x8040201000"));

        Assert.That(result.Output, Is.EqualTo("ok 0x1000 0x1307 0x1307 0x1307 0x1307\n"), result.Error);
    }

    [TestCase("ept", 0x11UL)]
    [TestCase("npt", 0x12UL)]
    [TestCase("x86", 0x13UL)]
    public void RandomMemoryIsProbedWithoutHarm(string format, ulong seed)
    {
        var random = new SeededGenerator(seed);
        using ImageFile image = ImageFile.MakeRandom(random, 12);
        var probes = new System.Text.StringBuilder();
        for (int i = 0; i < 500; i++)
        {
            ulong address = random.OneIn(8) ? random.Next() : random.Next() >> 17;
            probes.Append(random.Pick<string>(["r ", "w ", "x "])).Append(address.ToString("x", null)).Append('\n');
        }
        CliResult result = image.Inspect(format, "0x1000", "--json", "--probe", image.Text(probes.ToString()));

        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(result.Status, Is.Zero, result.Error);
        Assert.That(lines, Has.Length.EqualTo(500), random.ToString());
        foreach (string line in lines)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            Assert.That(document.RootElement.GetProperty("entries").GetArrayLength(), Is.LessThanOrEqualTo(4));
        }
    }

    private static string Line(string op, string address, string outcome, string hpa, string info, string entries) =>
        "{\"op\":\"" + op + "\",\"address\":\"" + address + "\",\"outcome\":\"" + outcome + "\",\"hpa\":" + hpa
        + ",\"info\":" + info + ",\"entries\":[" + entries + "]}\n";
}
