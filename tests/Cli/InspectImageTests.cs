using NUnit.Framework;
using Pagoda.Machine.Dump;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

public sealed unsafe class InspectImageTests
{
    private static readonly CoreRoot[] s_roots =
    [
        new CoreRoot("first", RootKind.Ept, 0x10105E, 4, 46, RootAccessedDirty.Hardware),
        new CoreRoot("second", RootKind.Npt, 0x102000, 4, 40, RootAccessedDirty.Hardware),
    ];

    [Test]
    public void ACoreIsReadAtItsAddresses()
    {
        using ImageFile image = MakeCore();
        CliResult result = CliRunner.Run("inspect", image.PathOf("core"), "--probe", image.Text("w 0x40000123\n"));

        Assert.That(result.Output, Is.EqualTo("ok 0x40000123 0x103107 0x400003f7\n"), result.Error);
    }

    [Test]
    public void TheFirstRootIsTakenUnlessAnotherIsPicked()
    {
        using ImageFile image = MakeCore();
        string core = image.PathOf("core");

        Assert.That(CliRunner.Run("inspect", core, "--walk", "0").Output, Does.Contain("guest first: EPT"));
        Assert.That(CliRunner.Run("inspect", core, "--walk", "0", "--root", "0x102000").Output,
            Does.Contain("guest second: NPT"));
        Assert.That(CliRunner.Run("inspect", core, "--walk", "0", "--root", "0x5000").Error,
            Does.Contain("--root").And.Contain("0x10105e, 0x102000"));
    }

    [Test]
    public void TheTreesOfAllRootsAreShown()
    {
        using ImageFile image = MakeCore();
        string output = CliRunner.Run("inspect", image.PathOf("core")).Output;

        Assert.That(output, Does.Contain("guest first: EPT").And.Contain("guest second: NPT"));
    }

    private static ImageFile MakeCore()
    {
        var image = new ImageFile(0);
        using var region = new GuardedRegion(3 * 4096, 4096);
        ulong* tables = (ulong*)region.Base;
        tables[0] = 0x103007;
        tables[512] = 0;
        tables[1024 + 1] = 0x400000F7;
        ElfCoreWriter.Write(image.PathOf("core"),
        [
            new CoreSegment(0x101000, region.Base, 2 * 4096),
            new CoreSegment(0x103000, region.Base + 2 * 4096, 4096),
        ], s_roots);
        return image;
    }
}
