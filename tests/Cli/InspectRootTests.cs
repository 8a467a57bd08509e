using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Tests.Cli;

public sealed class InspectRootTests
{
    [TestCase(0x1000UL, null, false, 0x105EUL, 4)]
    [TestCase(0x1000UL, 5, false, 0x1066UL, 5)]
    [TestCase(0x1000UL, null, true, 0x101EUL, 4)]
    [TestCase(0x105EUL, 4, true, 0x101EUL, 4)]
    [TestCase(0x1018UL, null, false, 0x1018UL, 4)]
    [TestCase(0x1066UL, null, false, 0x1066UL, 5)]
    public void ABareTableAddressBecomesAnEptp(ulong root, int? levels, bool noAd, ulong register, int walkLength)
    {
        var options = new InspectOptions
        {
            File = "",
            Format = RootKind.Ept,
            Root = root,
            Levels = levels,
            NoAccessedDirty = noAd,
        };
        InspectRoot made = InspectRoot.FromOptions(options);

        Assert.That(made.Facts.Register, Is.EqualTo(register));
        Assert.That(made.Format.Levels, Is.EqualTo(walkLength));
        Assert.That(made.Format.Root, Is.EqualTo(0x1000UL));
        Assert.That(made.IsOurs, Is.False);
    }

    [Test]
    public void X86RegistersAreTheOnesAskedFor()
    {
        var options = new InspectOptions { File = "", Format = RootKind.X86, Root = 0x1018, Levels = 5, Smep = true };
        WalkFormat format = InspectRoot.FromOptions(options).Format;

        Assert.That(format.Table, Is.EqualTo(WalkTable.X86Long));
        Assert.That(format.Root, Is.EqualTo(0x1000UL));
        Assert.That((format.Levels, format.Smep, format.Smap), Is.EqualTo((5, true, false)));
        Assert.That((format.WriteProtect, format.HasNoExecute), Is.EqualTo((true, true)));
    }

    [Test]
    public void ANoteWithAnImpossibleRootIsRefused()
    {
        var facts = new CoreRoot("", RootKind.Ept, 0x1003, 4, 46, RootAccessedDirty.Hardware);
        Assert.That(() => InspectRoot.FromNote(facts, new InspectOptions { File = "x" }),
            Throws.TypeOf<CliException>().With.Message.Contains("0x1003"));
    }

    [Test]
    public void TheTitleNamesGuestRegisterAndKeeper()
    {
        var facts = new CoreRoot("one", RootKind.Ept, 0x101E, 4, 46, RootAccessedDirty.Emulated);
        InspectRoot root = InspectRoot.FromNote(facts, new InspectOptions { File = "x" });

        Assert.That(root.Title, Is.EqualTo("guest one: EPT tables at 0x1000 (EPTP 0x101e), 4 levels, "
            + "46 physical bits, emulated accessed and dirty bits"));
    }
}
