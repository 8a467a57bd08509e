using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>pread(2), pwrite(2), close(2): positioned I/O straight into arena memory.</summary>
public static unsafe partial class Libc
{
    /// <summary>Reads at <paramref name="offset"/>; fewer bytes than asked mean the end of the file was met.</summary>
    public static int Pread(int fd, void* buffer, nuint length, long offset, out nuint done)
    {
        done = 0;
        while (done < length)
        {
            nint read = pread(fd, (byte*)buffer + done, length - done, offset + (long)done);
            if (read == 0) return 0;
            if (read != Failed)
            {
                done += (nuint)read;
                continue;
            }
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR) return errno;
        }
        return 0;
    }

    /// <summary>Writes all of <paramref name="length"/> bytes at <paramref name="offset"/>, or fails.</summary>
    public static int Pwrite(int fd, void* buffer, nuint length, long offset, out nuint done)
    {
        done = 0;
        while (done < length)
        {
            nint written = pwrite(fd, (byte*)buffer + done, length - done, offset + (long)done);
            if (written != Failed)
            {
                done += (nuint)written;
                continue;
            }
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR) return errno;
        }
        return 0;
    }

    /// <summary>Closes a descriptor. Not repeated when interrupted: Linux has closed it by then.</summary>
    public static int Close(int fd) => Result(close(fd));

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint pread(int fd, void* buffer, nuint length, long offset);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint pwrite(int fd, void* buffer, nuint length, long offset);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int close(int fd);
}
