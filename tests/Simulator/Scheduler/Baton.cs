using System.Runtime.InteropServices;
using System.Threading;

namespace Pagoda.Simulator.Scheduling;

/// <summary>One thread's half of the baton: it sleeps until another passes it.</summary>
/// <remarks>
/// A futex of its own: two system calls and one switch a hand-over while both threads are bound to one processor.
/// </remarks>
internal sealed unsafe partial class Baton
{
    private const int SysFutex = 202;
    private const int WaitPrivate = 128;
    private const int WakePrivate = 129;
    private const int LineBytes = 64;

    // Never freed: as many as threads, and a thread that is late may still look at its own.
    private readonly uint* _cell = (uint*)NativeMemory.AlignedAlloc(LineBytes, LineBytes);

    public Baton() => *_cell = 0;

    /// <summary>Lets the owner run.</summary>
    public void Pass()
    {
        Volatile.Write(ref *_cell, 1);
        _ = syscall(SysFutex, _cell, WakePrivate, 1, null, null, 0);
    }

    /// <summary>Sleeps until somebody passes it here.</summary>
    public void Await()
    {
        while (Interlocked.Exchange(ref *_cell, 0) == 0) _ = syscall(SysFutex, _cell, WaitPrivate, 0, null, null, 0);
    }

    /// <summary>Binds the calling thread to one processor; without the right to, it runs where it runs.</summary>
    public static void BindThread(int processor)
    {
        const int Words = 16;
        ulong* mask = stackalloc ulong[Words];
        for (int i = 0; i < Words; i++) mask[i] = 0;
        mask[processor >> 6] = 1UL << (processor & 63);
        _ = sched_setaffinity(0, Words * sizeof(ulong), mask);
    }

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, uint* address, nint operation, nint value, void* timeout,
        void* other, nint last);

    [LibraryImport("libc")]
    private static partial int sched_setaffinity(int thread, nuint bytes, ulong* mask);
}
