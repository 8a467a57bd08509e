using System.IO;
using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class RunTableTests
{
    [Test]
    public void TheTableTellsTheEndAndTheNumbersInPlainTextWithoutATerminal()
    {
        string table = Render(isObserved: false);
        Assert.That(table, Does.Contain("until").And.Contain("500,000,000").And.Contain("200.0").And.Contain("101"));
        Assert.That(table, Does.Contain("121, 122").And.Contain("126, 125").And.Contain("pages lost"));
        Assert.That(table, Does.Contain("of each processor").And.Contain("300,000,000").And.Contain("200,000,000"));
        Assert.That(table, Does.Not.Contain("\u001b").And.Not.Contain("excluded"));
    }

    [Test]
    public void ItSaysThatTheLiveLineIsExcluded() =>
        Assert.That(Render(isObserved: true), Does.Contain("live line excluded"));

    private static string Render(bool isObserved)
    {
        using var writer = new StringWriter();
        RunTable.Write(writer, isTerminal: false, RunReportTests.Sample(), isObserved);
        return writer.ToString();
    }
}
