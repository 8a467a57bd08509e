using System.IO;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Tests.Machine.Replay;

namespace Pagoda.Tests.Cli;

public sealed class ReplayTableTests
{
    [Test]
    public void TheTableTellsTheNumbersInPlainTextWithoutATerminal()
    {
        using var writer = new StringWriter();
        ReplayTable.Write(writer, isTerminal: false, ReplayResultTests.Sample());
        Assert.That(writer.ToString(), Does.Contain("10,000,000").And.Contain("16, 15").And.Contain("75.000")
            .And.Contain("mean 2.5, most 4"));
        Assert.That(writer.ToString(), Does.Not.Contain("\u001b"));
    }
}
