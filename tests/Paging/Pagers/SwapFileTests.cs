using System;
using System.IO;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Tests.Pagers;

/// <summary>What is there when a file is opened decides: nothing is overwritten that might be somebody's.</summary>
public sealed class SwapFileTests
{
    private const ulong Bytes = 16 * Paging.PageBytes;
    private string _path = null!;

    [SetUp]
    public void SetUp() => _path = Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid() + ".swap");

    [TearDown]
    public void TearDown() => File.Delete(_path);

    [Test]
    public void ANewFileHasTheSlotsAskedForAndComesBackAfterAnOrderlyClose()
    {
        ulong nonce;
        using (SwapFile file = Open())
        {
            Assert.That(file.Slots, Is.EqualTo(16));
            nonce = file.Nonce;
        }
        using SwapFile again = Open(bytes: 0);
        Assert.That(again.Slots, Is.EqualTo(16));
        Assert.That(again.Nonce, Is.Not.EqualTo(nonce));
    }

    [Test]
    public void AFileThatIsNoSwapFileIsRefusedAndStaysAsItIs([Values] bool reset)
    {
        File.WriteAllText(_path, "a letter");
        Assert.That(() => Open(reset: reset), Throws.TypeOf<SwapException>().With.Message.Contains("no swap file"));
        Assert.That(File.ReadAllText(_path), Is.EqualTo("a letter"));
    }

    [Test]
    public void AnImageThatBeginsWithZerosIsNoSwapFile([Values(4096, 65_536, 3 << 20)] int zeros, [Values] bool reset)
    {
        var image = new byte[4 << 20];
        image.AsSpan(zeros).Fill(0x5A);
        File.WriteAllBytes(_path, image);
        Assert.That(() => Open(reset: reset), Throws.TypeOf<SwapException>().With.Message.Contains("no swap file"));
        Assert.That(File.ReadAllBytes(_path).AsSpan().SequenceEqual(image));
    }

    [Test]
    public void AFileOfZerosOrHolesIsTakenIntoUse([Values] bool isSparse)
    {
        using (FileStream stream = File.Create(_path))
        {
            if (isSparse) stream.SetLength(1L << 36);
            else stream.Write(new byte[(3 << 20) + 100]);
        }
        using SwapFile file = Open(bytes: 0);
        Assert.That(file.Slots, Is.EqualTo((isSparse ? 1U << 24 : 3U << 8) - 1));
    }

    [Test]
    public void AFileInUseIsRefused()
    {
        using SwapFile file = Open();
        Assert.That(() => Open(), Throws.TypeOf<SwapException>().With.Message.Contains("in use"));
    }

    [Test]
    public void AFileOfACrashedProcessIsRefusedOrReset()
    {
        Open().Dispose();
        MarkInUse();
        Assert.That(() => Open(), Throws.TypeOf<SwapException>().With.Message.Contains("without closing"));
        using SwapFile file = Open(reset: true);
        Assert.That(file.Slots, Is.EqualTo(16));
    }

    [Test]
    public void ADamagedHeaderIsNoSwapFile()
    {
        Open().Dispose();
        using (FileStream stream = File.OpenWrite(_path))
        {
            stream.Position = 17;
            stream.WriteByte(0xFF);
        }
        Assert.That(() => Open(reset: true), Throws.TypeOf<SwapException>().With.Message.Contains("no swap file"));
    }

    [Test]
    public void SizesThatCannotBeAreRefused()
    {
        Assert.That(() => Open(bytes: 100), Throws.ArgumentException);
        Assert.That(() => Open(bytes: 0), Throws.TypeOf<SwapException>().With.Message.Contains("give its size"));
    }

    [Test]
    public void AFolderIsRefused()
    {
        string folder = TestContext.CurrentContext.WorkDirectory;
        Assert.That(() => new SwapFile(new SwapFileOptions { Path = folder, Bytes = Bytes }),
            Throws.TypeOf<SwapException>().With.Message.Contains("cannot be opened"));
    }

    [Test]
    public unsafe void PagesGoThroughTheFileAndBack()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = Paging.WindowBytes });
        using SwapFile file = Open();
        using var space = new SwapSpace(file);
        using var pager = new SwapPager(space, 100);
        ulong[] pages = [0, 1, 2, 3, 4, 99];
        var frames = new uint[pages.Length];
        var status = new PagerStatus[pages.Length];
        // Every second frame: scattered buffers, one transfer.
        for (int i = 0; i < frames.Length; i++)
        {
            frames[i] = arena.Allocator.TryTake(0);
            arena.Allocator.TryTake(0);
            new Random(i).NextBytes(new Span<byte>(arena.DirectMap((ulong)frames[i] << Paging.PageShift), 4096));
        }
        var batch = new PagerBatch(arena.Base, pages, frames, status);
        pager.Write(batch);
        Assert.That(status, Is.All.EqualTo(PagerStatus.Ok));
        for (int i = 0; i < frames.Length; i++) batch.Bytes(i).Clear();
        pager.Read(batch);
        Assert.That(status, Is.All.EqualTo(PagerStatus.Ok));
        var expected = new byte[4096];
        for (int i = 0; i < frames.Length; i++)
        {
            new Random(i).NextBytes(expected);
            Assert.That(batch.Bytes(i).SequenceEqual(expected), $"page {pages[i]}");
        }
    }

    /// <summary>What a process leaves that ends without closing the file.</summary>
    private unsafe void MarkInUse()
    {
        byte[] left = File.ReadAllBytes(_path);
        fixed (byte* bytes = left)
        {
            var header = (SwapHeader*)bytes;
            header->State = SwapHeader.InUse;
            SwapHeader.Close(header);
        }
        File.WriteAllBytes(_path, left);
    }

    private SwapFile Open(ulong bytes = Bytes, bool reset = false) =>
        new(new SwapFileOptions { Path = _path, Bytes = bytes, ResetStale = reset });
}
