using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>clock_gettime(2): the processor time of threads.</summary>
public static unsafe partial class Libc
{
    private const int CLOCK_THREAD_CPUTIME_ID = 3;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Nanoseconds that the calling thread has had a processor.</summary>
    /// <returns>0 or the errno.</returns>
    public static int ThreadTime(out long nanoseconds)
    {
        TimeSpec time = default;
        int errno = Result(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time));
        nanoseconds = time.Seconds * NanosecondsPerSecond + time.Nanoseconds;
        return errno;
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int clock_gettime(int clock, TimeSpec* time);
}
