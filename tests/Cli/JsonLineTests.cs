using System.IO;
using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class JsonLineTests
{
    [Test]
    public void AnObjectIsOneLine()
    {
        using var output = new StringWriter();
        JsonLine.Write(output, json => json.WriteString("a", "1 + 2\n"));

        Assert.That(output.ToString(), Is.EqualTo("{\"a\":\"1 + 2\\n\"}\n"));
    }
}
