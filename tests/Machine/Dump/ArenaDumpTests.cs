using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Cli;
using Pagoda.Tests.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Dump;

public sealed unsafe class ArenaDumpTests
{
    [Test]
    public void FramesInUseAreWrittenAndOthersNot()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4UL << 20 });
        using var cache = new FrameCache(arena);
        string path = Path.GetTempFileName();
        try
        {
            PteFormat format = new PmapOptions { PhysBits = arena.PhysBits }.ToFormat();
            ulong root = TakeTable(arena, cache, 4);
            ulong middle = TakeTable(arena, cache, 3);
            Set(arena, root, format.TableEntry(middle));
            Set(arena, middle, format.TableEntry(1UL << 21));      // a frame that nobody took
            CoreRoot note = ArenaDump.RootOf("toy", in format, format.RootRegister(root));
            ArenaDump.Write(path, arena, [note]);

            CliResult result = CliRunner.Run("inspect", path, "--walk", "0x1000");
            Assert.That(result.Output, Does.Contain("guest toy: EPT tables at 0x" + root.ToString("x", null)));
            Assert.That(result.Output, Does.Contain("outside the image").And.Contain("r  outside"), result.Error);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void InspectFindsWhatThePmapMapped(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        using var image = new ImageFile(0);
        var random = new SeededGenerator(0x71);
        var mapped = new SortedDictionary<ulong, ulong>();
        for (int i = 0; i < 40; i++)
        {
            ulong gpa = random.Below(1UL << 34) & ~Pagoda.Core.Paging.PageOffsetMask;
            ulong page = h.TakePages(0);
            Prot access = random.Pick([Prot.None, Prot.Read, Prot.Write]);
            if (h.Enter(gpa, page, Prot.All, access) == PmapStatus.Ok && access != Prot.None) mapped[gpa] = page;
        }
        string core = image.PathOf("core");
        ArenaDump.Write(core, h.Arena, [ArenaDump.RootOf(name, in h.Pmap.Format, h.Pmap.RootRegister)]);
        string probes = image.Text(string.Concat(mapped.Keys.Select(gpa => "r " + gpa.ToString("x", null) + "\n")));

        string output = CliRunner.Run("inspect", core, "--probe", probes).Output;
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines.Select(line => line.Split(' ')[1]),
            Is.EqualTo(mapped.Values.Select(hpa => "0x" + hpa.ToString("x", null))), output);

        using JsonDocument tree = JsonDocument.Parse(CliRunner.Run("inspect", core, "--json").Output);
        ulong pages = 0;
        foreach (JsonElement leaf in tree.RootElement.GetProperty("leaves").EnumerateArray())
        {
            pages += leaf.GetProperty("count").GetUInt64() * (leaf.GetProperty("bytes").GetUInt64() >> 12);
        }
        Assert.That(pages, Is.EqualTo(h.Statistics.ResidentPages));
        Assert.That(tree.RootElement.GetProperty("malformed").GetInt32(), Is.Zero);
        Assert.That(tree.RootElement.GetProperty("outside").GetInt32(), Is.Zero);
    }

    [TestCase(TableKind.Ept, true, RootKind.Ept, RootAccessedDirty.Hardware)]
    [TestCase(TableKind.Ept, false, RootKind.Ept, RootAccessedDirty.Emulated)]
    [TestCase(TableKind.Rvi, true, RootKind.Npt, RootAccessedDirty.Hardware)]
    [TestCase(TableKind.X86, true, RootKind.X86, RootAccessedDirty.Hardware)]
    public void ARootTellsItsFormat(TableKind kind, bool hardwareAd, RootKind written, RootAccessedDirty keeper)
    {
        PteFormat format = new PmapOptions { Kind = kind, HardwareAd = hardwareAd, PhysBits = 40 }.ToFormat();
        Assert.That(ArenaDump.RootOf("g", in format, 0x1000),
            Is.EqualTo(new CoreRoot("g", written, 0x1000, 4, 40, keeper)));
    }

    private static ulong TakeTable(Arena arena, FrameCache cache, int level)
    {
        Assert.That(cache.TryTake(out uint pfn), Is.True);
        arena.Frames.ToTable(pfn, 0, level);
        return (ulong)pfn << Pagoda.Core.Paging.PageShift;
    }

    private static void Set(Arena arena, ulong table, ulong entry) =>
        Shared.Store((ulong*)arena.DirectMap(table), entry);
}
