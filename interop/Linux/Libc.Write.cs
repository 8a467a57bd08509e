using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>write(2), poll(2): sequential output.</summary>
public static unsafe partial class Libc
{
    private const short POLLOUT = 4;

    /// <summary>
    /// Writes all bytes, waiting where a descriptor is not ready; 0, or the errno that ended it. No bytes are one call
    /// that writes nothing.
    /// </summary>
    public static int Write(int fd, void* buffer, nuint length)
    {
        nuint done = 0;
        do
        {
            nint written = write(fd, (byte*)buffer + done, length - done);
            if (written >= 0)
            {
                done += (nuint)written;
                continue;
            }
            int errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.EAGAIN) AwaitOutput(fd);
            else if (errno != Errno.EINTR) return errno;
        }
        while (done < length);
        return 0;
    }

    private static void AwaitOutput(int fd)
    {
        var request = new PollRequest { Fd = fd, Events = POLLOUT };
        _ = poll(&request, 1, -1);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, void* buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollRequest* requests, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
