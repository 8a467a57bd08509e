using System;
using System.IO;
using System.Reflection;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Samples;

/// <summary>A host with its own processor needs the paging kernel alone, and little of itself.</summary>
public sealed class EmbedderTests
{
    private const int LinesMax = 60;
    private static readonly Assembly s_sample = Assembly.Load("Pagoda.Samples.Embedder");

    [Test]
    public void TheSampleRuns()
    {
        TextWriter console = Console.Out;
        using var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            s_sample.EntryPoint!.Invoke(null, [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(console);
        }
        Assert.That(output.ToString().Trim(), Is.EqualTo("halted with -18"));
    }

    [Test]
    public void TheSampleIsShort() => Assert.That(
        File.ReadAllLines(RepositoryRoot.At("tests/Samples/Embedder/ToyHost.cs")), Has.Length.AtMost(LinesMax));

    [Test]
    public void TheSampleUsesThePagingKernelAlone()
    {
        foreach (AssemblyName name in s_sample.GetReferencedAssemblies())
        {
            Assert.That(name.Name, Does.StartWith("System").Or.EqualTo("Pagoda.Paging"));
        }
    }
}
