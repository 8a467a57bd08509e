using System;
using System.IO;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Pagers;

public sealed unsafe class FileImagePagerTests
{
    private string _path = "";

    [SetUp]
    public void SetUp()
    {
        _path = Path.GetTempFileName();
        byte[] bytes = new byte[3 * 4096 + 10];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)(i / 4096 * 50 + i % 7 + 1);
        File.WriteAllBytes(_path, bytes);
    }

    [TearDown]
    public void TearDown() => File.Delete(_path);

    [Test]
    public void PagesAreReadAtTheirOffsetAndZeroBehindTheEnd()
    {
        using var memory = new GuardedRegion(4 * 4096, 4096);
        memory.Bytes.Fill(0xEE);
        using var pager = new FileImagePager(_path, 4096);
        Assert.That(pager.LengthBytes, Is.EqualTo(2 * 4096 + 10));
        var status = new PagerStatus[3];
        pager.Read(new PagerBatch(memory.Base, [0, 2, 3], [1, 2, 3], status));
        Assert.That(status, Is.EqualTo(new[] { PagerStatus.Ok, PagerStatus.Ok, PagerStatus.Zero }));
        Assert.That(memory.Bytes[4096], Is.EqualTo(File.ReadAllBytes(_path)[4096]));
        Assert.That(memory.Bytes[2 * 4096 + 9], Is.Not.Zero);
        Assert.That(memory.Bytes[2 * 4096 + 10], Is.Zero);
        pager.Write(new PagerBatch(memory.Base, [0], [1], status.AsSpan(0, 1)));
        Assert.That(status[0], Is.EqualTo(PagerStatus.Error));
    }

    [Test]
    public void AFailingReadIsAnErrorOfItsLane()
    {
        using var memory = new GuardedRegion(2 * 4096, 4096);
        // Reading a folder is what the system refuses.
        using var pager = new FileImagePager(_path, (ulong)long.MaxValue - 4096);
        var status = new PagerStatus[1];
        pager.Read(new PagerBatch(memory.Base, [1UL << 40], [1], status));
        Assert.That(status[0], Is.EqualTo(PagerStatus.Error));
    }

    [Test]
    public void AGuestReadsTheFile()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var pager = new FileImagePager(_path);
        using var guest = new Guest(arena, new GuestOptions());
        guest.MapRom(new Gpa(0xC0000), 4 * 4096, pager);
        byte[] bytes = new byte[3 * 4096 + 10];
        Assert.That(guest.Read(new Gpa(0xC0000), bytes), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(bytes, Is.EqualTo(File.ReadAllBytes(_path)));
        Assert.That(guest.Write(new Gpa(0xC0000), bytes), Is.EqualTo(FaultStatus.Protection));
    }

    [Test]
    public void AMissingFileIsNamed() => Assert.That(() => new FileImagePager(_path + ".missing"),
        Throws.InstanceOf<IOException>().With.Message.Contain(".missing"));
}
