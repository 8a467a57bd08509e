using NUnit.Framework;

namespace Pagoda.Tests.Cli;

public sealed class ProbeFileTests
{
    [TestCase("r 0x1000\nq 0x1000\n", "line 2: 'q' is none of")]
    [TestCase("r\n", "line 1: a probe is an operation and an address")]
    [TestCase("r 1 2\n", "line 1: a probe is an operation and an address")]
    [TestCase("\n# c\nr 0xg\n", "line 3: '0xg' is not a 64-bit hexadecimal address")]
    [TestCase("r 0x10000000000000000\n", "line 1: '0x10000000000000000'")]
    [TestCase("r 1\nru 1\n", "line 2: 'ru' is for x86 tables")]
    public void ALineThatIsNoProbeIsNamed(string text, string reason)
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--probe", image.Text(text));

        Assert.That(result.Status, Is.EqualTo(2));
        Assert.That(result.Output, Is.Empty, "nothing is done before all lines are read");
        Assert.That(result.Error, Does.StartWith("pagoda: --probe: ").And.Contain(reason));
    }

    [Test]
    public void AFileThatCannotBeReadIsNamed()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--probe", image.PathOf("missing"));

        Assert.That(result.Status, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith("pagoda: --probe: ").And.Contain("missing"));
    }

    [Test]
    public void AFileWithoutProbesAsksNothing()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--probe", image.Text("\t \n  # only this\n"));

        Assert.That(result.Status, Is.Zero);
        Assert.That(result.Output, Is.Empty);
    }

    [Test]
    public void LinesMayEndInCarriageReturns()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--probe", image.Text("r\t0X1000\r\n\r\n"));

        Assert.That(result.Output, Does.StartWith("ok 0x101000 "), result.Error);
    }
}
