using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>
/// The C library calls that the engine makes, one family a file. Every member takes blittable arguments and returns 0
/// or the errno; what the call yields comes back through <c>out</c>.
/// </summary>
/// <remarks>
/// Constants keep their C spelling, members have .NET's casing. No call allocates on the managed heap. The calls run in
/// preemptive mode: one that takes long holds no garbage collection back.
/// </remarks>
public static unsafe partial class Libc
{
    private const string Library = "libc";
    private const int Failed = -1;

    /// <summary>Turns the -1 convention into an errno. Nothing may run between the call and this.</summary>
    private static int Result(int returned) => returned == Failed ? Marshal.GetLastPInvokeError() : 0;
}
