using System.Runtime.CompilerServices;
using System.Threading;

namespace Pagoda.Core;

/// <summary>Every wait of the engine. In the simulator's twin each step hands on to another thread.</summary>
/// <remarks>
/// Use: <c>var wait = default(Wait); while (!condition) wait.Step();</c> for what others do in a few hundred
/// instructions, <see cref="OnWord"/> for what may take a read from a disk. A waiter holds no window lock, is in no
/// consumer slot and owns no unpublished Busy page, except that a window lock itself may be waited for while active.
/// </remarks>
[AllocationFree]
public partial struct Wait
{
    private const int SpinsBeforeYield = 64;
    private const int YieldsBeforeSleep = 256;
    private int _steps;

    /// <summary>How many steps were waited.</summary>
    public readonly int Steps => _steps;

    /// <summary>Waits a little: first a pause, then the rest of the time slice, then a full yield.</summary>
#pragma warning disable RS0030 // The one place that waits.
    // Inlined, its system calls would cost every caller a frame for them in its prolog.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Step()
    {
        _steps++;
        if (_steps < SpinsBeforeYield) Thread.SpinWait(8);
        else if (_steps < YieldsBeforeSleep) Thread.Yield();
        else Thread.Sleep(0);
    }
#pragma warning restore RS0030
}
