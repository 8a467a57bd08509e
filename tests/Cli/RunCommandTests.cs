using System;
using System.IO;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Tests.Machine.Boot;

namespace Pagoda.Tests.Cli;

/// <summary>Whole command lines, run inside the test process.</summary>
[NonParallelizable]
public sealed class RunCommandTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pagoda-run-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("--memory 0", "--memory is zero")]
    [TestCase("--memory 5000", "--memory '5000' is not a whole number of pages")]
    [TestCase("--memory 1M", "--memory: 1048576 bytes are too few")]
    [TestCase("--memory 64X", "--memory '64X' is no size")]
    [TestCase("--memory -1", "--memory")]
    [TestCase("--memory 64M --arena 32M", "--memory 67108864 bytes do not fit into the arena of 33554432 bytes")]
    [TestCase("--memory 16000000T", "--arena 17592186044416000000 bytes are more than an arena can have")]
    [TestCase("--memory 18014398509481984K", "--memory '18014398509481984K' is no size")]
    [TestCase("--arena 0", "--arena is zero")]
    [TestCase("--arena 70000001", "--arena '70000001' is not a whole number of pages")]
    [TestCase("--arena lots", "--arena 'lots' is no size")]
    [TestCase("--arena 64T", "--arena 70368744177664 bytes are more than an arena can have")]
    [TestCase("--memory 40T", "--arena 54975581388800 bytes are more than an arena can have")]
    [TestCase("--tables rvi", "--tables 'rvi' is unknown: use ept or npt")]
    [TestCase("--tables npt --no-hw-ad", "--no-hw-ad: NPT always has hardware")]
    [TestCase("--cpus 0", "--cpus '0' is no number")]
    [TestCase("--cpus x", "--cpus 'x' is no number")]
    [TestCase("--cpus 65", "--cpus '65' is no number of processors: use 1 to 64")]
    [TestCase("--timeout soon", "--timeout 'soon' is no time")]
    [TestCase("--timeout 0", "--timeout '0' is no time")]
    [TestCase("--timeout", "--timeout")]
    [TestCase("--append quiet", "--append: the built-in guest takes no command line")]
    [TestCase("--kernel DIR/missing", "--kernel 'DIR/missing': Could not find file")]
    [TestCase("--kernel DIR", "--kernel 'DIR': ")]
    [TestCase("--kernel /dev/zero", "--kernel '/dev/zero': ")]
    [TestCase("--kernel DIR/text", "--kernel 'DIR/text': not a kernel that can be booted: it has 4 bytes")]
    [TestCase("--kernel DIR/elf", "--kernel 'DIR/elf': not a kernel that can be booted: it is an ELF file")]
    [TestCase("--kernel DIR/cut", "--kernel 'DIR/cut': not a kernel that can be booted: it is truncated")]
    [TestCase("--kernel DIR/huge", "--memory: the kernel needs 67108864 bytes")]
    [TestCase("--kernel DIR/huge --memory 128M --append LONG", "--append: the command line has 300 bytes")]
    [TestCase("--json DIR", "--json 'DIR' is a directory")]
    [TestCase("--json DIR/missing/file", "--json 'DIR/missing/file' cannot be written")]
    [TestCase("--dump DIR", "--dump 'DIR' cannot be written")]
    [TestCase("--dump DIR/missing/file", "--dump 'DIR/missing/file' cannot be written")]
    [TestCase("--json DIR/same --dump DIR/same", "--json and --dump name the same file")]
    [TestCase("--memory 4M --memory 8M", "--memory")]
    [TestCase("--resident 1M", "--resident: what does not stay resident needs a swap file")]
    [TestCase("--swap DIR/swap", "--swap: nothing would go there; say with --resident")]
    [TestCase("--reset-swap", "--reset-swap: there is no swap file")]
    [TestCase("--policy sometimes", "--policy 'sometimes' is unknown: use fixed or superpage")]
    [TestCase("--policy superpage --no-superpages", "--policy superpage and --no-superpages contradict")]
    [TestCase("--resident 0 --swap DIR/swap", "--resident is zero")]
    [TestCase("--resident 9000 --swap DIR/swap", "--resident '9000' is not a whole number of pages")]
    [TestCase("--resident 4K --swap DIR/swap", "--resident: 4096 bytes are too few for a guest of 67108864 bytes")]
    [TestCase("--resident 65M --swap DIR/swap", "--resident: 68157440 bytes are more than the guest's memory")]
    [TestCase("--resident 8M --swap DIR", "--swap: The swap file 'DIR' cannot be opened")]
    [TestCase("--resident 8M --swap DIR/missing/swap", "--swap: The swap file 'DIR/missing/swap' cannot be opened")]
    [TestCase("--resident 8M --swap DIR/text", "--swap: The swap file 'DIR/text' is no swap file")]
    public void BadInputGetsOneLineThatNamesItAndStatusTwoAndLeavesNothingBehind(string arguments, string message)
    {
        MakeInputs();
        int before = Directory.GetFileSystemEntries(_folder).Length;
        CliResult result = CliRunner.Run(("run " + InFolder(arguments)).Split(' '));
        Assert.That(result.Status, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.StartWith("pagoda: ").And.Contain(InFolder(message)));
        Assert.That(result.Error.Trim(), Does.Not.Contain("\n"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Has.Length.EqualTo(before));
    }

    [TestCase("--until", "")]
    [TestCase("--kernel", "")]
    [TestCase("--json", "")]
    [TestCase("--dump", "")]
    [TestCase("--memory", "")]
    [TestCase("--swap", "")]
    [TestCase("--resident", "")]
    public void EmptyValuesAreRefusedByName(string option, string value)
    {
        CliResult result = CliRunner.Run("run", option, value);
        Assert.That(result.Status, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain(option));
    }

    [Test]
    public void TheBuiltInGuestEndsWellAndTheReportSaysSo()
    {
        string json = Path.Combine(_folder, "report.json");
        CliResult result = CliRunner.Run("run", "--memory", "2M", "--json", json);
        Assert.That(result.Status, Is.Zero, result.Error);
        Assert.That(result.Console, Does.Contain("Errors: 0\n"));
        Assert.That(result.Error, Does.Contain("nested faults"), "the table");
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.That(report.RootElement.GetProperty("exit").GetString(), Is.EqualTo("halt"));
        Assert.That(result.Console, Does.EndWith(report.RootElement.GetProperty("console").GetString()!));
    }

    [Test]
    public void AGuestWithHalfItsMemorySwapsAndTheFileIsGoneAfterwards()
    {
        string json = Path.Combine(_folder, "report.json");
        string swap = Path.Combine(_folder, "swap");
        CliResult result = CliRunner.Run("run", "--memory", "2M", "--resident", "1032K", "--swap", swap, "--until",
            "ascending,  random:      ok", "--json", json);
        Assert.That(result.Status, Is.Zero, result.Error);
        Assert.That(File.Exists(swap), Is.False);
        Assert.That(result.Error, Does.Contain("pages swapped in, out"), "the table");
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        Assert.That(report.RootElement.GetProperty("swapIns").GetInt64(), Is.GreaterThan(1000));
        Assert.That(report.RootElement.GetProperty("swapOuts").GetInt64(), Is.GreaterThan(1000));
    }

    [Test]
    public void QuietLeavesTheConsoleAlone()
    {
        CliResult result = CliRunner.Run("run", "--memory", "2M", "--until", "ascending", "--quiet");
        Assert.That(result.Status, Is.Zero, result.Error);
        Assert.That(result.Console, Does.Contain("ascending"));
        Assert.That(result.Error, Is.Empty);
        Assert.That(result.Output, Is.Empty);
    }

    [Test]
    public void AGuestThatHaltsBeforeTheAwaitedTextFailed()
    {
        CliResult result = CliRunner.Run("run", "--memory", "2M", "--until", "never printed", "--quiet");
        Assert.That(result.Status, Is.EqualTo(4));
        Assert.That(result.Error, Does.Contain("halted before it printed 'never printed'"));
    }

    [Test]
    public void AGuestOutOfTimeGetsStatusThree()
    {
        CliResult result = CliRunner.Run("run", "--timeout", "1ms", "--quiet");
        Assert.That(result.Status, Is.EqualTo(3));
        Assert.That(result.Error, Does.Contain("--timeout"));
    }

    [Test]
    public void AnUnsupportedInstructionIsShownWithItsBytesAndRegisters()
    {
        string kernel = Path.Combine(_folder, "kernel");
        byte[] image = new BzImage { PayloadBytes = 64 }.ToArray();
        byte[] code = [0xB8, 0x78, 0x56, 0x34, 0x12, 0x0F, 0x58, 0xC1];     // mov eax, 12345678h; addps xmm0, xmm1
        code.CopyTo(image, 3 * 512);
        File.WriteAllBytes(kernel, image);
        CliResult result = CliRunner.Run("run", "--kernel", kernel, "--memory", "2M", "--quiet");
        Assert.That(result.Status, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("0f 58 c1").And.Contain("rip").IgnoreCase.And.Contain("12345678"));
    }

    [Test]
    public void ACoreCanBeWrittenAtTheEnd()
    {
        string core = Path.Combine(_folder, "core");
        CliResult result = CliRunner.Run("run", "--memory", "2M", "--until", "checking", "--dump", core, "--quiet");
        Assert.That(result.Status, Is.Zero, result.Error);
        byte[] start = new byte[4];
        using FileStream file = File.OpenRead(core);
        file.ReadExactly(start);
        Assert.That(start, Is.EqualTo(new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F' }));
    }

    private void MakeInputs()
    {
        File.WriteAllText(Path.Combine(_folder, "text"), "text");
        File.WriteAllText(Path.Combine(_folder, "elf"), "\u007fELF" + new string('x', 2000));
        byte[] whole = new BzImage().ToArray();
        File.WriteAllBytes(Path.Combine(_folder, "cut"), whole.AsSpan(0, whole.Length - 100).ToArray());
        File.WriteAllBytes(Path.Combine(_folder, "huge"), new BzImage { InitSize = 64 << 20 }.ToArray());
    }

    private string InFolder(string text) =>
        text.Replace("DIR", _folder, StringComparison.Ordinal)
            .Replace("LONG", new string('x', 300), StringComparison.Ordinal);
}
