using System;
using System.Diagnostics;
using System.IO;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

/// <summary>Runs in processes of their own, where every managed byte is the run's.</summary>
public sealed class RunProcessTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pagoda-process-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("--memory 2M")]
    [TestCase("--memory 2M --no-hw-ad")]
    [TestCase("--memory 2M --tables npt --no-superpages")]
    public void TheBuiltInGuestAllocatesNothingAndItsReportRepeats(string arguments)
    {
        JsonElement first = Run(arguments, "first");
        JsonElement second = Run(arguments, "second");
        Assert.That(first.GetProperty("exit").GetString(), Is.EqualTo("halt"));
        Assert.That(first.GetProperty("managedBytesAllocated").GetInt64(), Is.Zero);
        Assert.That(first.GetProperty("gcCollections").GetInt64(), Is.Zero);
        foreach (JsonProperty property in first.EnumerateObject())
        {
            if (property.Name is "elapsedSeconds" or "guestMips") continue;
            string again = second.GetProperty(property.Name).GetRawText();
            Assert.That(again, Is.EqualTo(property.Value.GetRawText()), property.Name);
        }
    }

    [Test]
    public void TheMemoryTesterAllocatesNothingWithItsConsole()
    {
#if DEBUG
        Assert.Ignore("Takes minutes in an interpreter that is not optimised; Release runs it.");
#endif
        string kernel = Capability.RequireMemoryTester();
        JsonElement report = Run(
            "--memory 8M --kernel " + kernel + " --append console=ttyS0,115200 --until Testing", "tester");
        Assert.That(report.GetProperty("exit").GetString(), Is.EqualTo("until"));
        Assert.That(report.GetProperty("managedBytesAllocated").GetInt64(), Is.Zero);
        Assert.That(report.GetProperty("gcCollections").GetInt64(), Is.Zero);
    }

    private JsonElement Run(string arguments, string name)
    {
        string json = Path.Combine(_folder, name);
        string program = Path.Combine(AppContext.BaseDirectory, "pagoda.dll");
        string line = program + " run --quiet --timeout 30m --json " + json + " " + arguments;
        var start = new ProcessStartInfo("dotnet", line)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        System.Threading.Tasks.Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, error.Result);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(json));
        return document.RootElement.Clone();
    }
}
