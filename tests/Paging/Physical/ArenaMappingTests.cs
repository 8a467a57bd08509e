using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Linux;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class ArenaMappingTests
{
    private const ulong Bytes = 3 * Paging.WindowBytes;

    [TestCase(ArenaBacking.AnonymousHuge)]
    [TestCase(ArenaBacking.Memfd)]
    public void MemoryStartsOnATwoMegabyteBoundary(ArenaBacking backing)
    {
        using var mapping = new ArenaMapping(new ArenaOptions { Bytes = Bytes, Backing = backing });
        Assert.That((ulong)mapping.Base & Paging.WindowOffsetMask, Is.Zero);
        Assert.That(mapping.Fd >= 0, Is.EqualTo(backing == ArenaBacking.Memfd));
    }

    [TestCase(ArenaBacking.AnonymousHuge, false)]
    [TestCase(ArenaBacking.Memfd, false)]
    [TestCase(ArenaBacking.AnonymousHuge, true)]
    public void AChunkGivenBackReadsAsZeros(ArenaBacking backing, bool locked)
    {
        var options = new ArenaOptions { Bytes = Bytes, Backing = backing, Lock = locked };
        using ArenaMapping mapping = MapOrSkip(options);
        byte* last = mapping.Base + 2 * Paging.WindowBytes - 1;
        Assert.That(mapping.TryCommit(Paging.WindowBytes, Paging.WindowBytes), Is.True);
        *last = 0xA5;
        Assert.That(mapping.TryDecommit(Paging.WindowBytes, Paging.WindowBytes), Is.True);
        Assert.That(*last, Is.Zero);
    }

    [Test]
    public void AMemfdShowsWhatTheDirectMapWrites()
    {
        using var mapping = new ArenaMapping(new ArenaOptions { Bytes = Bytes, Backing = ArenaBacking.Memfd });
        mapping.Base[5 * Paging.PageBytes + 7] = 0x3C;
        byte seen = 0;
        int errno = Libc.Pread(mapping.Fd, &seen, 1, 5 * (long)Paging.PageBytes + 7, out nuint done);
        Assert.That(errno, Is.Zero);
        Assert.That(done, Is.EqualTo((nuint)1));
        Assert.That(seen, Is.EqualTo(0x3C));
    }

    [Test]
    public void HugetlbWithoutReservedPagesSaysHowToReserveThem()
    {
        if (Arena.CanUseHugetlb(Bytes)) Assert.Ignore("This host has reserved 2 MiB pages.");
        var options = new ArenaOptions { Bytes = Bytes, Backing = ArenaBacking.Hugetlb };
        Assert.That(() => new ArenaMapping(options), Throws.TypeOf<ArenaException>()
            .With.Property(nameof(ArenaException.Option)).EqualTo(nameof(ArenaOptions.Backing))
            .And.Message.Contains("3 reserved 2 MiB pages").And.Message.Contains("vm.nr_hugepages"));
    }

    [Test]
    public void HugetlbPagesServeWhereTheyAreReserved()
    {
        if (!Arena.CanUseHugetlb(Bytes)) Assert.Ignore("This host has no reserved 2 MiB pages.");
        using var mapping = new ArenaMapping(new ArenaOptions { Bytes = Bytes, Backing = ArenaBacking.Hugetlb });
        Assert.That(mapping.TryCommit(0, Bytes), Is.True);
        Assert.That(mapping.Base[Bytes - 1], Is.Zero);
    }

    [Test]
    public void MoreAddressSpaceThanThereIsIsRefusedByName()
    {
        var options = new ArenaOptions { Bytes = 1UL << 47, PhysBits = 52 };
        Assert.That(() => new ArenaMapping(options), Throws.TypeOf<ArenaException>()
            .With.Property(nameof(ArenaException.Option)).EqualTo(nameof(ArenaOptions.Bytes))
            .And.Property(nameof(ArenaException.Errno)).EqualTo(Errno.ENOMEM)
            .And.Message.Contains("Lower Bytes"));
    }

    [Test]
    public void PrefaultOfMemoryThatCannotBeWrittenIsRefusedByName()
    {
        // Address space without rights stands for a host without memory: the kernel cannot populate it either.
        nuint length = (nuint)(2 * Paging.PageBytes);
        const int Anonymous = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS;
        Assert.That(Libc.Mmap(null, length, Libc.PROT_NONE, Anonymous, -1, out void* mapped), Is.Zero);
        var options = new ArenaOptions { Bytes = length, Backing = ArenaBacking.Caller, CallerMemory = (nint)mapped };
        using (var mapping = new ArenaMapping(options))
        {
            Assert.That(mapping.Prefault, Throws.TypeOf<ArenaException>()
                .With.Property(nameof(ArenaException.Option)).EqualTo(nameof(ArenaOptions.Prefault))
                .And.Message.Contains("leave Prefault off"));
        }
        Assert.That(Libc.Munmap(mapped, length), Is.Zero);
    }

    [Test]
    public void LockOfMemoryThatIsNotMappedIsRefusedByName()
    {
        // The last page of the address space is never mapped, so locking up to it fails for every user.
        const ulong LastPages = 0x7FFF_FFFF_E000;
        var options = new ArenaOptions
        {
            Bytes = 2 * Paging.PageBytes,
            Backing = ArenaBacking.Caller,
            CallerMemory = unchecked((nint)LastPages),
            Lock = true,
        };
        Assert.That(() => new ArenaMapping(options), Throws.TypeOf<ArenaException>()
            .With.Property(nameof(ArenaException.Option)).EqualTo(nameof(ArenaOptions.Lock))
            .And.Message.Contains("RLIMIT_MEMLOCK").And.Message.Contains("at least 8 KiB"));
    }

    private static ArenaMapping MapOrSkip(ArenaOptions options)
    {
        try
        {
            return new ArenaMapping(options);
        }
        catch (ArenaException refused) when (refused.Option == nameof(ArenaOptions.Lock))
        {
            Assert.Ignore("This user may not lock that much memory.");
            throw;
        }
    }
}
