using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed unsafe class LibcMemoryTests
{
    private const nuint Page = 4096;
    private const int Writable = Libc.PROT_READ | Libc.PROT_WRITE;
    private const int Anonymous = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS;

    [Test]
    public void MemoryIsMappedPopulatedGivenBackAndUnmapped()
    {
        Assert.That(Libc.Mmap(null, 2 * Page, Writable, Anonymous, -1, out void* mapped), Is.Zero);
        byte* bytes = (byte*)mapped;
        Assert.That(Libc.Madvise(mapped, 2 * Page, Libc.MADV_POPULATE_WRITE), Is.Zero);
        bytes[Page] = 7;
        Assert.That(Libc.Madvise(mapped, 2 * Page, Libc.MADV_DONTNEED), Is.Zero);
        Assert.That(bytes[Page], Is.Zero);
        Assert.That(Libc.Munmap(mapped, 2 * Page), Is.Zero);
    }

    [Test]
    public void AMappingThatFailsIsNullAndSaysWhy()
    {
        Assert.That(Libc.Mmap(null, 0, Writable, Anonymous, -1, out void* mapped), Is.EqualTo(Errno.EINVAL));
        Assert.That((nint)mapped, Is.EqualTo((nint)0));
    }

    [Test]
    public void AdviceThatTheKernelDoesNotKnowIsReported()
    {
        Assert.That(Libc.Mmap(null, Page, Writable, Anonymous, -1, out void* mapped), Is.Zero);
        Assert.That(Libc.Madvise(mapped, Page, 9999), Is.EqualTo(Errno.EINVAL));
        Assert.That(Libc.Munmap(mapped, Page), Is.Zero);
    }

    [Test]
    public void OnePageMayBeLockedAndUnlocked()
    {
        Assert.That(Libc.Mmap(null, Page, Writable, Anonymous, -1, out void* mapped), Is.Zero);
        int errno = Libc.Mlock2(mapped, Page, Libc.MLOCK_ONFAULT);
        Assert.That(errno, Is.AnyOf(0, Errno.EPERM, Errno.ENOMEM));
        if (errno == 0) Assert.That(Libc.Munlock(mapped, Page), Is.Zero);
        Assert.That(Libc.Munmap(mapped, Page), Is.Zero);
    }

    [Test]
    public void AMemfdHasItsLengthOrNoDescriptor()
    {
        int fd;
        fixed (byte* name = "libc-test\0"u8)
        {
            Assert.That(Libc.MemfdCreate(name, -1, out fd), Is.EqualTo(Errno.EINVAL));
            Assert.That(fd, Is.EqualTo(-1));
            Assert.That(Libc.MemfdCreate(name, 3 * (long)Page, out fd), Is.Zero);
        }
        byte last;
        Assert.That(Libc.Pread(fd, &last, 1, 3 * (long)Page - 1, out nuint done), Is.Zero);
        Assert.That(done, Is.EqualTo((nuint)1));
        Assert.That(Libc.Close(fd), Is.Zero);
    }
}
