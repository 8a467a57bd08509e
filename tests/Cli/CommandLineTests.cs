using NUnit.Framework;

namespace Pagoda.Tests.Cli;

public sealed class CommandLineTests
{
    [TestCase(new string[0], "Try 'pagoda --help'")]
    [TestCase(new[] { "walk" }, "'walk'")]
    [TestCase(new[] { "run", "--bogus" }, "'--bogus'")]
    [TestCase(new[] { "run", "surplus" }, "'surplus'")]
    [TestCase(new[] { "run", "@file" }, "'@file'")]
    public void BadCommandLinesGetOneLineAndStatusTwo(string[] arguments, string named)
    {
        CliResult result = CliRunner.Run(arguments);
        Assert.That(result.Status, Is.EqualTo(2));
        Assert.That(result.Error, Does.StartWith("pagoda: ").And.Contain(named));
        Assert.That(result.Error.Trim(), Does.Not.Contain("\n"));
        Assert.That(result.Output, Is.Empty);
    }

    [TestCase("--help")]
    [TestCase("run", "--help")]
    public void HelpGoesToStandardOutput(params string[] arguments)
    {
        CliResult result = CliRunner.Run(arguments);
        Assert.That(result.Status, Is.Zero);
        Assert.That(result.Output, Does.Contain("Usage:"));
        Assert.That(result.Error, Is.Empty);
    }
}
