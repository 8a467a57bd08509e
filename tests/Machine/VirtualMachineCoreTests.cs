using System.IO;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.PageTables;
using Pagoda.Tests.Cli;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class VirtualMachineCoreTests
{
    [TestCase(TableKind.Ept)]
    [TestCase(TableKind.Rvi)]
    public void TheCoreHoldsTheTablesThatTheGuestRanOn(TableKind tables)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        // mov byte [123456h], 7; hlt
        byte[] code = [0xC6, 0x05, 0x56, 0x34, 0x12, 0, 7, 0xF4];
        using (var machine = new VirtualMachine(BareMachine.Options(code, tables: tables), new CollectingSink()))
        {
            machine.Run();
            machine.WriteCore(path);
        }
        CliResult touched = CliRunner.Run("inspect", path, "--walk", "0x123456");
        CliResult untouched = CliRunner.Run("inspect", path, "--walk", "0x130000");
        File.Delete(path);
        Assert.That(touched.Status, Is.Zero, touched.Error);
        Assert.That(touched.Output, Does.Contain("456"));
        Assert.That(touched.Output, Is.Not.EqualTo(untouched.Output));
    }
}
