using NUnit.Framework;

namespace Pagoda.Tests.Cli;

public sealed class InspectCommandTests
{
    [TestCase("FILE", "/no/such/file", "--raw", "--format", "ept", "--root", "0x1000")]
    [TestCase("FILE", "/", "--raw", "--format", "ept", "--root", "0x1000")]
    [TestCase("FILE", "/dev/zero", "--raw", "--format", "ept", "--root", "0x1000")]
    [TestCase("FILE", "/dev/null")]
    [TestCase("not an ELF64 core", "IMAGE")]
    [TestCase("--format", "IMAGE", "--raw")]
    [TestCase("--format: 'arm'", "IMAGE", "--raw", "--format", "arm", "--root", "0x1000")]
    [TestCase("--root", "IMAGE", "--raw", "--format", "ept")]
    [TestCase("--root: '0xzz'", "IMAGE", "--raw", "--format", "ept", "--root", "0xzz")]
    [TestCase("--root: '-1'", "IMAGE", "--raw", "--format", "ept", "--root=-1")]
    [TestCase("--root: 0x101f", "IMAGE", "--raw", "--format", "ept", "--root", "0x101f")]
    [TestCase("--root: 0x1000000", "IMAGE", "--raw", "--format", "npt", "--root", "0x100000000000000")]
    [TestCase("--levels: '6'", "IMAGE", "--raw", "--format", "npt", "--root", "0x1000", "--levels", "6")]
    [TestCase("--levels: 5 contradicts", "IMAGE", "--raw", "--format", "ept", "--root", "0x101e", "--levels", "5")]
    [TestCase("--phys-bits: '31'", "IMAGE", "--raw", "--format", "npt", "--root", "0x1000", "--phys-bits", "31")]
    [TestCase("--walk: 'here'", "IMAGE", "--raw", "--format", "npt", "--root", "0x1000", "--walk", "here")]
    [TestCase("--no-ad", "IMAGE", "--raw", "--format", "npt", "--root", "0x1000", "--no-ad")]
    [TestCase("--smep", "IMAGE", "--raw", "--format", "npt", "--root", "0x1000", "--smep")]
    [TestCase("--no-wp", "IMAGE", "--raw", "--format", "ept", "--root", "0x1000", "--no-wp")]
    [TestCase("--phys-bits goes with --raw", "IMAGE", "--phys-bits", "40")]
    [TestCase("--walk and --probe", "IMAGE", "--walk", "1", "--probe", "x")]
    [TestCase("--probe", "IMAGE", "--raw", "--format", "npt", "--root", "0x1000", "--probe", "/no/such/file")]
    public void BadInputGetsOneLineAndStatusTwo(string named, params string[] arguments)
    {
        using ImageFile image = ImageFile.MakeEpt();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "IMAGE") arguments[i] = image.Path;
        }
        CliResult result = CliRunner.Run(["inspect", .. arguments]);

        Assert.That(result.Status, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith("pagoda: ").And.Contain(named));
        Assert.That(result.Error.Trim(), Does.Not.Contain("\n"));
        Assert.That(result.Output, Is.Empty);
    }

    [Test]
    public void AnEmptyImageIsRefused()
    {
        using var image = new ImageFile(0);
        Assert.That(image.Inspect("ept", "0x1000").Error, Does.Contain("is empty"));
    }

    [Test]
    public void AnImageMayEndInsideATable()
    {
        using ImageFile whole = ImageFile.MakeEpt();
        System.IO.File.WriteAllBytes(whole.PathOf("cut"), whole.Bytes[..0x4044].ToArray());
        string probes = whole.Text("r 7000\nr 8000\n");
        CliResult result = CliRunner.Run(
            "inspect", whole.PathOf("cut"), "--raw", "--format", "ept", "--root", "1000", "--probe", probes);

        Assert.That(result.Output, Does.StartWith("ok 0x107000 ").And.Contain("\noutside 0x2107 0x3107 0x4107\n"));
    }
}
