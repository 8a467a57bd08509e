using System;
using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class InspectTreeWriterTests
{
    [Test]
    public void LikeEntriesAreOneLineAndEveryTableIsShown()
    {
        using ImageFile image = ImageFile.MakeEpt();
        CliResult result = image.Inspect("ept", "0x1000");

        Assert.That(result.Output, Does.StartWith("""
            EPT tables at 0x1000 (EPTP 0x105e), 4 levels, 46 physical bits, accessed and dirty bits
              PML4E 0         0x0-0x7fffffffff  table 0x2000
                PDPTE 0         0x0-0x3fffffff  table 0x3000
                  PDE 0           0x0-0x1fffff  table 0x4000
                    PTE 0-15        0x0-0xffff  16 x 4 KiB  rwx -- WB  -> 0x100000
                    PTE 16-511      0x10000-0x1fffff  hole
                  PDE 1           0x200000-0x3fffff  1 x 2 MiB  r-x -- WB  -> 0x200000
                  PDE 2           0x400000-0x5fffff  table 0x5000
                    PTE 0-511       0x400000-0x5fffff  512 x 4 KiB  rw- AD WB  -> scattered pages
                  PDE 3           0x600000-0x7fffff  misconfigured, illegal rights -w-: 0xb2
                  PDE 4-511       0x800000-0x3fffffff  hole
                PDPTE 1         0x40000000-0x7fffffff  1 x 1 GiB  rwx -- WB  -> 0x40000000
                PDPTE 2-511     0x80000000-0x7fffffffff  hole
              PML4E 1         0x8000000000-0xffffffffff  table 0x300000
                PDPTE 0-511     outside the image
              PML4E 2-511     0x10000000000-0xffffffffffff  hole

            """), result.Error);
    }

    [Test]
    public void NeighbouringTablesFullOfAlikeLeavesAreOneLine()
    {
        using ImageFile image = ImageFile.MakeEpt();
        for (int i = 4; i < 8; i++) image.Set(0x3000, i, 0x5001);
        CliResult result = image.Inspect("ept", "0x1000");

        Assert.That(result.Output, Does.Contain("PDE 4-7         0x800000-0xffffff  4 tables full of 4 KiB  r-- AD\n"));
    }

    [Test]
    public void ATableThatWasShownIsNamedOnly()
    {
        using ImageFile image = ImageFile.MakeEpt();
        image.Set(0x2000, 3, 0x3007);
        CliResult result = image.Inspect("ept", "0x1000");

        Assert.That(result.Output, Does.Contain("PDPTE 3         0xc0000000-0xffffffff  table 0x3000 (as above)\n"));
    }

    [Test]
    public void LinearAddressesOfTheUpperHalfHaveTheirSign()
    {
        using ImageFile image = ImageFile.MakeX86();
        image.Set(0x1000, 511, 0x2007);
        CliResult result = image.Inspect("x86", "0x1000");

        Assert.That(result.Output, Does.Contain("0xffffff8000000000-0xffffffffffffffff  table 0x2000 (as above)"));
    }

    [Test]
    public void TheLinesEnd()
    {
        using var image = new ImageFile(40);
        for (int page = 0; page < 40; page++)
        {
            for (int i = 0; i < 512; i++)
            {
                image.Set((ulong)page * 4096, i, (ulong)(i % 40) << 12 | (i % 3 == 0 ? 7UL : 5UL));
            }
        }
        CliResult result = image.Inspect("ept", "0x1000");

        int lines = result.Output.AsSpan().Count('\n');
        Assert.That(lines, Is.InRange(InspectTreeWriter.LinesMax, InspectTreeWriter.LinesMax + 20));
        Assert.That(result.Output, Does.Contain("... more than 4000 lines"));
    }
}
