using System;
using System.CommandLine;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.PageTables;

namespace Pagoda.Tests.Cli;

public sealed class RunArgumentsTests
{
    private const ulong Mebibyte = 1UL << 20;

    [Test]
    public void TheDefaultsAreTheDocumentedOnes()
    {
        RunArguments arguments = Parse();
        Assert.That(arguments.Kernel, Is.Null);
        Assert.That(arguments.MemoryBytes, Is.EqualTo(64 * Mebibyte));
        Assert.That(arguments.ArenaBytes, Is.EqualTo(80 * Mebibyte), "memory and a quarter");
        Assert.That(arguments.Tables, Is.EqualTo(TableKind.Ept));
        Assert.That(arguments.HardwareAd && arguments.Superpages && !arguments.Quiet);
        Assert.That(arguments.Cpus, Is.EqualTo(1));
        Assert.That(arguments.Threads, Is.False);
        Assert.That(arguments.Swap, Is.Null);
        Assert.That(arguments.ResidentBytes, Is.Zero);
        Assert.That(arguments.Policy, Is.EqualTo(SuperpagePolicy.Fixed));
        Assert.That(arguments.Timeout, Is.Null);
        Assert.That(arguments.Until, Is.Null);
    }

    [TestCase("16M", 20UL)]
    [TestCase("2M", 4UL)]
    [TestCase("9M", 12UL)]      // 11.25 MiB, rounded up to whole 2 MiB
    [TestCase("1G", 1280UL)]
    public void TheArenaFollowsTheMemory(string memory, ulong mebibytes) =>
        Assert.That(Parse("--memory", memory).ArenaBytes, Is.EqualTo(mebibytes * Mebibyte));

    [Test]
    public void EachFurtherProcessorHasRoomForTheFramesThatItKeeps() =>
        Assert.That(Parse("--memory", "16M", "--cpus", "4").ArenaBytes, Is.EqualTo(26 * Mebibyte));

    [Test]
    public void EveryOptionArrives()
    {
        RunArguments arguments = Parse("--kernel", "k", "--append", "a b", "--memory", "32M", "--arena", "64M",
            "--tables", "ept", "--no-hw-ad", "--no-superpages", "--cpus", "4", "--threads", "--until", "@text",
            "--timeout", "2m", "--json", "j", "--dump", "d", "--quiet", "--resident", "8M", "--swap", "s",
            "--reset-swap", "--policy", "fixed");
        Assert.That(arguments.Kernel, Is.EqualTo("k"));
        Assert.That(arguments.Append, Is.EqualTo("a b"));
        Assert.That(arguments.MemoryBytes, Is.EqualTo(32 * Mebibyte));
        Assert.That(arguments.ArenaBytes, Is.EqualTo(64 * Mebibyte));
        Assert.That(arguments.HardwareAd || arguments.Superpages, Is.False);
        Assert.That(arguments.Until, Is.EqualTo("@text"));
        Assert.That(arguments.Timeout, Is.EqualTo(TimeSpan.FromMinutes(2)));
        Assert.That(arguments.Json, Is.EqualTo("j"));
        Assert.That(arguments.Dump, Is.EqualTo("d"));
        Assert.That(arguments.Quiet, Is.True);
        Assert.That(arguments.ResidentBytes, Is.EqualTo(8 * Mebibyte));
        Assert.That(arguments.Cpus, Is.EqualTo(4));
        Assert.That(arguments.Threads, Is.True);
        Assert.That(arguments.Swap, Is.EqualTo("s"));
        Assert.That(arguments.ResetSwap, Is.True);
    }

    [Test]
    public void ThePolicyArrives() =>
        Assert.That(Parse("--policy", "superpage").Policy, Is.EqualTo(SuperpagePolicy.Superpage));

    [Test]
    public void NptIsRvi() => Assert.That(Parse("--tables", "npt").Tables, Is.EqualTo(TableKind.Rvi));

    private static RunArguments Parse(params string[] arguments)
    {
        var command = new Command("run");
        RunArguments.AddTo(command);
        var configuration = new ParserConfiguration { ResponseFileTokenReplacer = null };
        return RunArguments.From(command.Parse(arguments, configuration));
    }
}
