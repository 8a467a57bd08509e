using System;
using System.IO;
using System.Text;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Machine.Replay;

namespace Pagoda.Tests.Cli;

/// <summary>Whole command lines, run inside the test process.</summary>
[NonParallelizable]
public sealed class ReplayCommandTests
{
    private string _folder = "";

    [SetUp]
    public void MakeInputs()
    {
        _folder = Directory.CreateTempSubdirectory("pagoda-replay-").FullName;
        File.WriteAllText(In("trace"), "==1== hello\n" + TraceTexts.Text(ReplayFixture.Program()));
        File.WriteAllText(In("prose"), "nothing\nof the kind\n");
        byte[] compact = TraceTexts.Compact([new TraceRecord(0x1234_5678, 4, TraceKind.Load)]);
        File.WriteAllBytes(In("cut"), compact[..^1]);
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("", "Required argument 'TRACE' missing")]
    [TestCase("DIR/missing", "TRACE 'DIR/missing' cannot be read")]
    [TestCase("DIR", "TRACE 'DIR' cannot be read (It is a directory.)")]
    [TestCase("DIR/prose", "TRACE 'DIR/prose' has no accesses: record one with valgrind")]
    [TestCase("DIR/cut --memory 2M", "TRACE 'DIR/cut': the trace is damaged behind byte")]
    [TestCase("DIR/trace --seed x", "--seed 'x' is no number")]
    [TestCase("DIR/trace --memory 1M", "the trace touches more pages than the guest's memory of 1048576 bytes")]
    [TestCase("DIR/trace --resident 1M", "--resident: what does not stay resident needs a swap file")]
    [TestCase("DIR/trace --resident 128K --swap DIR/swap", "--resident: 131072 bytes are too few")]
    [TestCase("DIR/trace --tables x86", "--tables 'x86' is unknown")]
    [TestCase("DIR/trace --json DIR", "--json 'DIR' is a directory")]
    [TestCase("DIR/trace --convert DIR/out --verify", "--convert replays nothing")]
    [TestCase("DIR/trace --convert DIR/missing/out", "--convert 'DIR/missing/out' cannot be written")]
    [TestCase("DIR/prose --convert DIR/out", "TRACE 'DIR/prose' has no accesses")]
    public void BadInputGetsOneLineAndStatusTwoAndLeavesNothingBehind(string arguments, string message)
    {
        int before = Directory.GetFileSystemEntries(_folder).Length;
        CliResult result = CliRunner.Run(("replay " + InFolder(arguments)).Trim().Split(' '));
        Assert.That(result.Status, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.StartWith("pagoda: ").And.Contain(InFolder(message)));
        Assert.That(result.Error.Trim(), Does.Not.Contain("\n"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Has.Length.EqualTo(before));
    }

    [Test]
    public void ATraceAndItsCompactFormGiveTheSameNumbersTwice()
    {
        CliResult converted = CliRunner.Run("replay", In("trace"), "--convert", In("compact"));
        Assert.That(converted.Status, Is.Zero, converted.Error);
        Assert.That(converted.Error, Does.Contain(ReplayFixture.Accesses + " accesses"));
        Assert.That(new FileInfo(In("compact")).Length, Is.LessThan(new FileInfo(In("trace")).Length / 3));
        string first = Replay("trace");
        Assert.That(Replay("trace"), Is.EqualTo(first));
        Assert.That(Replay("compact"), Is.EqualTo(first.Replace("\"skippedLines\": 1,", "\"skippedLines\": 0,",
            StringComparison.Ordinal)));
        using JsonDocument document = JsonDocument.Parse(first + "\"end\": 0 }");
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("exit").GetString(), Is.EqualTo("complete"));
        Assert.That(root.GetProperty("refaults").GetInt64(), Is.GreaterThan(1000));
        Assert.That(root.GetProperty("accesses").GetInt64(), Is.EqualTo(ReplayFixture.Accesses));
    }

    [Test]
    public void TheTableIsWrittenUnlessItIsNotWanted()
    {
        CliResult result = CliRunner.Run("replay", In("trace"), "--memory", "2M");
        Assert.That(result.Status, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("nested faults, refaults").And.Contain("working set of 10,000"));
        Assert.That(CliRunner.Run("replay", In("trace"), "--memory", "2M", "--quiet").Output, Is.Empty);
    }

    /// <summary>The report's part that does not tell of time, which is its first.</summary>
    private string Replay(string trace)
    {
        CliResult result = CliRunner.Run("replay", In(trace), "--memory", "2M", "--resident", "400K", "--swap",
            In("swap"), "--verify", "--quiet", "--json", In("json"));
        Assert.That(result.Status, Is.Zero, result.Error);
        string json = File.ReadAllText(In("json"), Encoding.UTF8);
        return json[..json.IndexOf("\"process\"", StringComparison.Ordinal)];
    }

    private string In(string name) => Path.Combine(_folder, name);

    private string InFolder(string text) => text.Replace("DIR", _folder, StringComparison.Ordinal);
}
