using System.IO;
using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class ReportFileTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pagoda-report-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void CheckingLeavesEverythingAsItWas()
    {
        string existing = Path.Combine(_folder, "existing");
        File.WriteAllText(existing, "before");
        _ = new ReportFile("--json", existing);
        _ = new ReportFile("--json", Path.Combine(_folder, "new"));
        Assert.That(File.ReadAllText(existing), Is.EqualTo("before"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void WritingReplacesTheContent()
    {
        string path = Path.Combine(_folder, "report");
        File.WriteAllText(path, "a longer text than the new one");
        new ReportFile("--json", path).Write("new"u8);
        Assert.That(File.ReadAllText(path), Is.EqualTo("new"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void ALinkIsFollowed()
    {
        string target = Path.Combine(_folder, "target");
        string link = Path.Combine(_folder, "link");
        File.WriteAllText(target, "before");
        File.CreateSymbolicLink(link, target);
        new ReportFile("--json", link).Write("after"u8);
        Assert.That(File.ReadAllText(target), Is.EqualTo("after"));
        Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo(target));
    }

    [Test]
    public void ADeviceIsWrittenTo()
    {
        var report = new ReportFile("--json", "/dev/null");
        report.Write("gone"u8);
        Assert.That(new FileInfo("/dev/null").Attributes.HasFlag(FileAttributes.ReadOnly), Is.False);
    }

    [Test]
    public void PlacesThatTakeNoFileAreRefusedByName()
    {
        string missing = Path.Combine(_folder, "missing", "report");
        Assert.That(() => new ReportFile("--json", _folder),
            Throws.TypeOf<CliException>().With.Message.Contains("--json").And.Message.Contains("directory"));
        Assert.That(() => new ReportFile("--json", missing),
            Throws.TypeOf<CliException>().With.Message.Contains(missing));
    }
}
