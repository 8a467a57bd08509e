using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>open(2), lseek(2), flock(2), preadv(2), pwritev(2): what a swap file needs.</summary>
public static unsafe partial class Libc
{
    public const int O_RDWR = 2;
    public const int O_CREAT = 0x40;
    public const int O_CLOEXEC = 0x80000;

    /// <summary>Transfers that bypass the page cache: buffer, offset and length are multiples of a block.</summary>
    public const int O_DIRECT = 0x4000;

    public const int SEEK_END = 2;
    public const int SEEK_DATA = 3;
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;

    /// <summary>Opens a file; <paramref name="path"/> is UTF-8 and ends with a zero byte.</summary>
    public static int Open(byte* path, int flags, uint mode, out int fd)
    {
        do fd = open(path, flags, mode);
        while (fd == Failed && Marshal.GetLastPInvokeError() == Errno.EINTR);
        return Result(fd);
    }

    /// <summary>Sets the length of a file; new bytes are zero and take no space.</summary>
    public static int Truncate(int fd, long length)
    {
        int errno;
        do errno = Result(ftruncate(fd, length));
        while (errno == Errno.EINTR);
        return errno;
    }

    /// <summary>The length in bytes of a file or block device.</summary>
    public static int Length(int fd, out long length)
    {
        length = lseek(fd, 0, SEEK_END);
        return length == Failed ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>
    /// The first offset from one on that is not in a hole; the largest number when only a hole is left; the same where
    /// holes are not known.
    /// </summary>
    public static long NextData(int fd, long offset)
    {
        long data = lseek(fd, offset, SEEK_DATA);
        if (data != Failed) return data;
        return Marshal.GetLastPInvokeError() == Errno.ENXIO ? long.MaxValue : offset;
    }

    /// <summary>Takes an advisory lock, or says that somebody has it.</summary>
    public static int Lock(int fd, int operation) => Result(flock(fd, operation));

    /// <summary>Reads runs of bytes at one offset into scattered buffers; may read less than asked.</summary>
    public static int ReadVector(int fd, IoVector* vectors, int count, long offset, out nuint done)
    {
        nint result;
        do result = preadv(fd, vectors, count, offset);
        while (result == Failed && Marshal.GetLastPInvokeError() == Errno.EINTR);
        done = result == Failed ? 0 : (nuint)result;
        return result == Failed ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>Writes scattered buffers at one offset; may write less than asked.</summary>
    public static int WriteVector(int fd, IoVector* vectors, int count, long offset, out nuint done)
    {
        nint result;
        do result = pwritev(fd, vectors, count, offset);
        while (result == Failed && Marshal.GetLastPInvokeError() == Errno.EINTR);
        done = result == Failed ? 0 : (nuint)result;
        return result == Failed ? Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>One buffer of a vector transfer; struct iovec.</summary>
    public struct IoVector
    {
        /// <summary>The first byte.</summary>
        public void* Base;

        /// <summary>Bytes.</summary>
        public nuint Length;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int open(byte* path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    private static partial long lseek(int fd, long offset, int whence);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int flock(int fd, int operation);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint preadv(int fd, IoVector* vectors, int count, long offset);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint pwritev(int fd, IoVector* vectors, int count, long offset);
}
