using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>futex(2): sleeping on a 4-byte cell of this process.</summary>
public static unsafe partial class Libc
{
    private const int FUTEX_WAIT_PRIVATE = 128;
    private const int FUTEX_WAKE_PRIVATE = 129;
    private const nint EveryWaiter = int.MaxValue;

    // The C library has no futex(): it is a number, which differs between the two processors that the engine knows.
    private static readonly nint s_futex = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 98 : 202;

    /// <summary>
    /// Sleeps if the cell still holds a value, tested and fallen asleep in one step, until it is woken.
    /// </summary>
    /// <returns>
    /// 0 when it was woken; EAGAIN when the cell held another value; ETIMEDOUT behind <paramref name="nanoseconds"/>,
    /// which are less than a second; EINTR.
    /// </returns>
    public static int FutexWait(uint* cell, uint value, uint nanoseconds)
    {
        var timeout = new TimeSpec { Nanoseconds = (nint)nanoseconds };
        return Result(syscall(s_futex, cell, FUTEX_WAIT_PRIVATE, (nint)value, &timeout));
    }

    /// <summary>Wakes whoever sleeps on the cell. The address alone counts: nothing is read there.</summary>
    public static void FutexWakeAll(uint* cell) => _ = syscall(s_futex, cell, FUTEX_WAKE_PRIVATE, EveryWaiter, null);

    private static int Result(nint returned) => Result((int)returned);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint syscall(nint number, uint* cell, nint operation, nint value, TimeSpec* timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
