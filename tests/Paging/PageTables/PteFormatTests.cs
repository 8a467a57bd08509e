using NUnit.Framework;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PteFormatTests
{
    private const ulong Bit0 = 1UL << 0, Bit1 = 1UL << 1, Bit2 = 1UL << 2, Bit5 = 1UL << 5, Bit6 = 1UL << 6;
    private const ulong Bit7 = 1UL << 7, Bit8 = 1UL << 8, Bit9 = 1UL << 9;
    private const ulong Bit52 = 1UL << 52, Bit53 = 1UL << 53, Bit54 = 1UL << 54, Bit63 = 1UL << 63;

    [TestCase("X86", Bit0, Bit1, Bit5, Bit6, Bit2, 0UL, Bit8, 0x98UL, 0x1018UL)]
    [TestCase("Rvi", Bit0, Bit1, Bit5, Bit6, Bit2, 0UL, 0UL, 0x98UL, 0x1018UL)]
    [TestCase("Ept", Bit0 | Bit1 | Bit2, Bit1, Bit8, Bit9, 0UL, Bit2, 0UL, 0x78UL, 0x78UL)]
    [TestCase("EptEmulated", Bit52, Bit53, Bit0, Bit1, 0UL, Bit2, 0UL, 0x78UL, 0x78UL)]
    public void MasksFollowTheTypeAndItsCapabilities(string name, ulong valid, ulong writable, ulong accessed,
        ulong modified, ulong user, ulong execSet, ulong global, ulong cachePage, ulong cacheSuperpage)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        Assert.That(f.Valid, Is.EqualTo(valid));
        Assert.That(f.Writable, Is.EqualTo(writable));
        Assert.That(f.Accessed, Is.EqualTo(accessed));
        Assert.That(f.Modified, Is.EqualTo(modified));
        Assert.That(f.User, Is.EqualTo(user));
        Assert.That(f.ExecSet, Is.EqualTo(execSet));
        Assert.That(f.ExecParked, Is.EqualTo(name == "EptEmulated" ? Bit54 : 0));
        Assert.That(f.Global, Is.EqualTo(global));
        Assert.That(f.PageSize, Is.EqualTo(Bit7));
        Assert.That(f.NoExecute, Is.EqualTo(Bit63));
        Assert.That(f.CachePage, Is.EqualTo(cachePage));
        Assert.That(f.CacheSuperpage, Is.EqualTo(cacheSuperpage));
        Assert.That(f.Frame, Is.EqualTo(0x3FFFFFFFF000UL));
        Assert.That(PteFormat.Managed, Is.EqualTo(1UL << 10));
        Assert.That(PteFormat.Wired, Is.EqualTo(1UL << 11));
        Assert.That(PteFormat.WindowLock, Is.EqualTo(1UL << 55));
    }

    [TestCase("Ept", 4, 0x705EUL)]
    [TestCase("EptEmulated", 4, 0x701EUL)]
    [TestCase("Ept", 5, 0x7066UL)]
    [TestCase("Rvi", 4, 0x7000UL)]
    [TestCase("X86", 5, 0x7000UL)]
    public void TheRootRegisterNamesLevelsAndFlags(string name, int levels, ulong expected)
    {
        PmapOptions o = Formats.ByName(name);
        PteFormat f = new PmapOptions
        {
            Kind = o.Kind, HardwareAd = o.HardwareAd, PhysBits = o.PhysBits, Levels = levels,
        }.ToFormat();
        Assert.That(f.RootRegister(0x7000), Is.EqualTo(expected));
    }
}
