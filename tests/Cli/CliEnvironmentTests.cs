using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class CliEnvironmentTests
{
    [Test]
    public void TheProcessEnvironmentHasTheProcessStreams()
    {
        CliEnvironment environment = CliEnvironment.ForProcess();
        Assert.That(environment.Output, Is.SameAs(System.Console.Out));
        Assert.That(environment.Error, Is.SameAs(System.Console.Error));
    }
}
