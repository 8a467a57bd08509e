using System.CommandLine;
using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class ReplayArgumentsTests
{
    [Test]
    public void TheDefaultsAreTheDocumentedOnes()
    {
        ReplayArguments arguments = Parse("-");
        Assert.That(arguments.Trace, Is.EqualTo("-"));
        Assert.That(arguments.Seed, Is.Zero);
        Assert.That(arguments.Verify || arguments.Quiet, Is.False);
        Assert.That(arguments.Convert ?? arguments.Json, Is.Null);
        Assert.That(arguments.MemoryBytes, Is.EqualTo(64UL << 20));
    }

    [Test]
    public void EveryOptionArrives()
    {
        ReplayArguments arguments = Parse("t", "--seed", "77", "--verify", "--json", "j", "--quiet", "--memory", "1G",
            "--resident", "8M", "--swap", "s", "--policy", "superpage");
        Assert.That(arguments.Seed, Is.EqualTo(77));
        Assert.That(arguments.Verify && arguments.Quiet);
        Assert.That(arguments.Json, Is.EqualTo("j"));
        Assert.That(arguments.ResidentBytes, Is.EqualTo(8UL << 20));
        Assert.That(arguments.Policy, Is.EqualTo(SuperpagePolicy.Superpage));
        Assert.That(Parse("t", "--convert", "c").Convert, Is.EqualTo("c"));
    }

    private static ReplayArguments Parse(params string[] arguments)
    {
        var command = new Command("replay");
        ReplayArguments.AddTo(command);
        return ReplayArguments.From(command.Parse(arguments,
            new ParserConfiguration { ResponseFileTokenReplacer = null }));
    }
}
