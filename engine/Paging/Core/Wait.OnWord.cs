using System.Runtime.CompilerServices;
using Pagoda.Linux;

namespace Pagoda.Core;

/// <summary>Sleeping on a word until somebody changes it and wakes.</summary>
public unsafe partial struct Wait
{
    private const int SpinsBeforeSleep = 24;        // Some microseconds: what going to sleep and waking cost.

    /// <summary>
    /// A sleeper is in no slot, so the word's frame may have become another page's before it fell asleep, and hold the
    /// same bits by chance. It looks again after this long.
    /// </summary>
    private const uint SleepMaxNanoseconds = 10_000_000;

    /// <summary>
    /// Waits until the low half of a word is no longer what was seen, or a <see cref="WakeAll"/>, or a while: look
    /// again. The test and falling asleep are one step, so a change that is followed by a wake is never missed.
    /// </summary>
    /// <param name="word">The word. Nothing is written there.</param>
    /// <param name="seen">What it was, with the mark by which its owner knows that somebody waits.</param>
    /// <param name="nanoseconds">The while, less than a second.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void OnWord(ulong* word, ulong seen, uint nanoseconds = SleepMaxNanoseconds)
    {
        var wait = default(Wait);
        do
        {
            if (unchecked((uint)(Shared.Load(word) ^ seen)) != 0) return;
            wait.Step();
        }
        while (wait.Steps < SpinsBeforeSleep);
        // The low half comes first in memory on every processor that the engine runs on.
        _ = Libc.FutexWait((uint*)word, (uint)seen, nanoseconds);
    }

    /// <summary>
    /// Wakes everybody who sleeps on a word, behind its change. The word itself may be gone already: only its address
    /// counts.
    /// </summary>
    public static void WakeAll(ulong* word) => Libc.FutexWakeAll((uint*)word);
}
