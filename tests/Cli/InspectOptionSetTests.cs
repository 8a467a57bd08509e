using System.CommandLine;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Machine.Dump;

namespace Pagoda.Tests.Cli;

public sealed class InspectOptionSetTests
{
    [Test]
    public void EveryOptionIsRead()
    {
        InspectOptions options = Read("--raw --format x86 --root 1005 --levels 5 --phys-bits 40 --no-wp --no-nxe "
            + "--smep --smap --walk 0xFFF0 --json");

        Assert.That(options, Is.EqualTo(new InspectOptions
        {
            File = "image",
            IsRaw = true,
            Format = RootKind.X86,
            Root = 0x1005,
            Levels = 5,
            PhysBits = 40,
            NoWriteProtect = true,
            NoNoExecute = true,
            Smep = true,
            Smap = true,
            Walk = 0xFFF0,
            Json = true,
        }));
    }

    [Test]
    public void OptionsThatAreNotGivenHaveTheirDefaults() =>
        Assert.That(Read(""), Is.EqualTo(new InspectOptions { File = "image" }));

    [TestCase("--raw --format npt --root 1000 --no-wp --no-nxe")]
    [TestCase("--raw --format ept --root 1000 --no-ad --levels 4")]
    [TestCase("--root 105e")]
    public void TheseGoTogether(string arguments) =>
        Assert.That(() => Read(arguments), Throws.Nothing);

    private static InspectOptions Read(string arguments)
    {
        var options = new InspectOptionSet();
        var command = new Command("inspect");
        options.AddTo(command);
        return options.Read(command.Parse(arguments), "image");
    }
}
