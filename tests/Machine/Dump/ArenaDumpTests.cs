using System.IO;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Cli;

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
