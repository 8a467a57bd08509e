using System.Text.Json;
using NUnit.Framework;

namespace Pagoda.Tests.Cli;

public sealed class InspectWalkTests
{
    [Test]
    public void EveryEntryIsExplainedAndEveryAccessTried()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--walk", "0x403123");

        Assert.That(result.Output, Is.EqualTo("""
            GPA 0x403123 in EPT tables at 0x1000 (EPTP 0x105e), 4 levels, 46 physical bits, accessed and dirty bits
              PML4E 0   at 0x1000  0x0000000000002007  table 0x2000, rwx
              PDPTE 0   at 0x2000  0x0000000000003007  table 0x3000, rwx
              PDE 2     at 0x3010  0x0000000000005003  table 0x5000, rw-
              PTE 3     at 0x5018  0x00000000009fc377  4 KiB page 0x9fc000, rwx, WB, accessed, dirty
              r  ok 0x9fc123
              w  ok 0x9fc123
              x  violation 0x19c

            """), result.Error);
    }

    [TestCase("ept", "0x600000", "misconfigured, illegal rights -w-")]
    [TestCase("ept", "0x8000000000", "outside the image")]
    [TestCase("ept", "0x10000000000", "not present")]
    [TestCase("ept", "0x1000000000000", "beyond the 48 bits")]
    public void WhatEndsAWalkIsSaid(string format, string address, string reason)
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect(format, "0x1000", "--walk", address);

        Assert.That(result.Output, Does.Contain(reason), result.Error);
    }

    [Test]
    public void X86IsTriedInBothModes()
    {
        using ImageFile image = ImageFile.MakeX86();
        CliResult result = image.Inspect("x86", "0x1000", "--walk", "0x3000");

        Assert.That(result.Output, Does.Contain("\n  r  ok 0x103000\n").And.Contain("\n  ru pf 0x5\n"), result.Error);
        Assert.That(result.Output, Does.Contain("4 KiB page 0x103000, rwxs, PAT0"));
    }

    [Test]
    public void ANonCanonicalAddressIsSaid()
    {
        using ImageFile image = ImageFile.MakeX86();
        CliResult result = image.Inspect("x86", "0x1000", "--walk", "0x800000000000");

        Assert.That(result.Output, Does.Contain("not canonical in 48 bits").And.Contain("  r  gp\n"), result.Error);
    }

    [Test]
    public void JsonIsOneObject()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000", "--json", "--walk", "0x1000");
        using JsonDocument document = JsonDocument.Parse(result.Output);

        Assert.That(document.RootElement.GetProperty("entries").GetArrayLength(), Is.EqualTo(4));
        JsonElement accesses = document.RootElement.GetProperty("accesses");
        Assert.That(accesses.GetProperty("w").GetString(), Is.EqualTo("ok 0x101000"));
    }
}
