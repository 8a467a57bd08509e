using System.Text.Json;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

public sealed class InspectTreeTests
{
    [Test]
    public void TheTableCountsLeavesBySizeRightsAndBits()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000");

        Assert.That(result.Output, Does.EndWith("""

              leaf    rights   A/D   leaves     maps
            ──────────────────────────────────────────
              4 KiB   rwx      --        16   64 KiB
              4 KiB   rw-      AD       512    2 MiB
              2 MiB   r-x      --         1    2 MiB
              1 GiB   rwx      --         1    1 GiB
            tables: 1 of PML4Es, 1 of PDPTEs, 1 of PDEs, 2 of PTEs
            malformed entries: 1
            tables or entries outside the image: 1
            holes: 255.4 TiB

            """), result.Error);
    }

    [Test]
    public void WithoutAccessedAndDirtyFlagsNoneAreShown()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--no-ad");

        Assert.That(result.Output, Does.Contain("no accessed and dirty bits").And.Contain("rwx WB  ->"));
        Assert.That(result.Output, Does.Contain("rw-      off      512"));
    }

    [Test]
    public void AnEmptyTreeMapsNothing()
    {
        using var image = new ImageFile(2);
        CliResult result = image.Inspect("npt", "0x1000");

        Assert.That(result.Output, Does.Contain("nothing is mapped").And.Contain("holes: 256 TiB"), result.Error);
    }

    [Test]
    public void FiveLevelsAreShownFromTheTop()
    {
        using var image = new ImageFile(4);
        image.Set(0x1000, 0, 0x2007);
        CliResult result = image.Inspect("npt", "0x1000", "--levels", "5");

        Assert.That(result.Output, Does.Contain("PML5E 0         0x0-0xffffffffffff  table 0x2000"), result.Error);
    }

    [Test]
    public void JsonIsOneObject()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--json");
        using JsonDocument document = JsonDocument.Parse(result.Output);

        Assert.That(document.RootElement.GetProperty("leaves").GetArrayLength(), Is.EqualTo(4));
        Assert.That(document.RootElement.GetProperty("malformed").GetInt32(), Is.EqualTo(1));
        Assert.That(document.RootElement.GetProperty("complete").GetBoolean(), Is.True);
    }

    [TestCase("ept", 0x81UL)]
    [TestCase("npt", 0x82UL)]
    [TestCase("x86", 0x83UL)]
    public void RandomMemoryIsShownWithoutHarm(string format, ulong seed)
    {
        for (ulong round = 0; round < 4; round++)
        {
            var random = new SeededGenerator(seed + (round << 8));
            using ImageFile image = ImageFile.MakeRandom(random, random.Between(2, 30));
            string root = "0x" + ((ulong)random.Below(3) << 12).ToString("x", null);
            CliResult tree = image.Inspect(format, root, "--levels", random.OneIn(2) ? "5" : "4");
            CliResult walk = image.Inspect(format, root, "--walk", (random.Next() >> 17).ToString("x", null));

            Assert.That((tree.Status, walk.Status), Is.EqualTo((0, 0)), random + tree.Error + walk.Error);
            Assert.That(tree.Output, Does.Contain("tables: "), random.ToString());
        }
    }
}
