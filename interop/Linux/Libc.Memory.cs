using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>mmap(2), munmap(2), madvise(2), mlock2(2), munlock(2), memfd_create(2).</summary>
public static unsafe partial class Libc
{
    public const int PROT_NONE = 0;
    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;

    public const int MAP_SHARED = 0x01;
    public const int MAP_PRIVATE = 0x02;
    public const int MAP_FIXED = 0x10;
    public const int MAP_ANONYMOUS = 0x20;
    public const int MAP_NORESERVE = 0x4000;
    public const int MAP_HUGETLB = 0x40000;

    /// <summary>With MAP_HUGETLB: pages of 2 MiB (log2 of the size in bits 26 to 31).</summary>
    public const int MAP_HUGE_2MB = 21 << 26;

    public const int MADV_DONTNEED = 4;
    public const int MADV_REMOVE = 9;
    public const int MADV_HUGEPAGE = 14;

    /// <summary>Linux 5.14.</summary>
    public const int MADV_POPULATE_WRITE = 23;

    /// <summary>Linux 5.18: MADV_DONTNEED that also works on locked memory.</summary>
    public const int MADV_DONTNEED_LOCKED = 24;

    /// <summary>Linux 4.4: lock pages when they are first touched, not now.</summary>
    public const int MLOCK_ONFAULT = 1;

    public const uint MFD_CLOEXEC = 1;

    /// <summary>Maps memory; <paramref name="mapped"/> is null when the result is not 0.</summary>
    public static int Mmap(void* address, nuint length, int prot, int flags, int fd, out void* mapped)
    {
        void* result = mmap(address, length, prot, flags, fd, 0);
        if ((nint)result == Failed)
        {
            mapped = null;
            return Marshal.GetLastPInvokeError();
        }
        mapped = result;
        return 0;
    }

    /// <summary>Unmaps whole pages.</summary>
    public static int Munmap(void* address, nuint length) => Result(munmap(address, length));

    /// <summary>Advises on whole pages. Repeats what a signal interrupted.</summary>
    public static int Madvise(void* address, nuint length, int advice)
    {
        int errno;
        do errno = Result(madvise(address, length, advice));
        while (errno is Errno.EINTR or Errno.EAGAIN);
        return errno;
    }

    /// <summary>Locks pages into memory: now, or with MLOCK_ONFAULT as each is first touched.</summary>
    public static int Mlock2(void* address, nuint length, int flags) => Result(mlock2(address, length, flags));

    /// <summary>Undoes <see cref="Mlock2"/>.</summary>
    public static int Munlock(void* address, nuint length) => Result(munlock(address, length));

    /// <summary>Makes an anonymous file of <paramref name="length"/> bytes; -1 when the result is not 0.</summary>
    /// <param name="name">A zero-terminated name, seen in /proc only.</param>
    /// <param name="length">Bytes, a multiple of the page size.</param>
    /// <param name="fd">The file descriptor, which the caller closes.</param>
    public static int MemfdCreate(byte* name, long length, out int fd)
    {
        fd = memfd_create(name, MFD_CLOEXEC);
        if (fd == Failed) return Marshal.GetLastPInvokeError();
        int errno = Result(ftruncate(fd, length));
        if (errno == 0) return 0;
        _ = close(fd);
        fd = Failed;
        return errno;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int prot, int flags, int fd, long offset);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int munmap(void* address, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int mlock2(void* address, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int munlock(void* address, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int memfd_create(byte* name, uint flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int ftruncate(int fd, long length);
}
