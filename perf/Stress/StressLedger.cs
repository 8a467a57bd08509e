using System;
using System.Threading;

namespace Pagoda.Perf.Stress;

/// <summary>
/// What each page of the guest must hold: for each writer the word that it stored last, and one word that all of them
/// count up by locked additions.
/// </summary>
/// <remarks>A writer alone touches its row; rows are compared with the guest when everybody has stopped.</remarks>
internal sealed class StressLedger
{
    /// <summary>Two vCPUs and a device.</summary>
    public const int Writers = 3;

    /// <summary>Where in its page the shared counter lies; the writers' words lie in front of it.</summary>
    public const ulong CounterOffset = 64;

    private const int LineWords = 8;

    private readonly long[][] _last = new long[Writers][];
    private readonly long[][] _counted = new long[Writers][];
    private readonly long[] _done = new long[Writers * LineWords];
    private string? _failure;
    private int _stop;

    public StressLedger(int pages)
    {
        for (int writer = 0; writer < Writers; writer++)
        {
            _last[writer] = new long[pages];
            _counted[writer] = new long[pages];
        }
    }

    /// <summary>The first mismatch, or null.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Everybody ends after what they are doing.</summary>
    public bool IsOver => Volatile.Read(ref _stop) != 0;

    /// <summary>Accesses that the writers made.</summary>
    public long Operations
    {
        get
        {
            long sum = 0;
            for (int writer = 0; writer < Writers; writer++) sum += Volatile.Read(ref _done[writer * LineWords]);
            return sum;
        }
    }

    /// <summary>Where in its page a writer's word lies.</summary>
    public static ulong OffsetOf(int writer) => (ulong)writer * sizeof(long);

    public long LastOf(int writer, ulong page) => _last[writer][page];

    public void Stored(int writer, ulong page, long value)
    {
        _last[writer][page] = value;
        _done[writer * LineWords]++;
    }

    public void Counted(int writer, ulong page)
    {
        _counted[writer][page]++;
        _done[writer * LineWords]++;
    }

    public void Stop() => Volatile.Write(ref _stop, 1);

    public void Fail(string message)
    {
        Interlocked.CompareExchange(ref _failure, message, null);
        Stop();
    }

    /// <summary>Compares what a writer finds in its word with what it stored there.</summary>
    public void Verify(int writer, ulong page, long found)
    {
        long last = _last[writer][page];
        if (found != last) Fail("page " + page + ", writer " + writer + ": " + found + " instead of " + last);
    }

    /// <summary>Compares a whole page, when everybody has stopped.</summary>
    public void Verify(ulong page, ReadOnlySpan<byte> bytes)
    {
        long counted = 0;
        for (int writer = 0; writer < Writers; writer++)
        {
            Verify(writer, page, BitConverter.ToInt64(bytes[(int)OffsetOf(writer)..]));
            counted += _counted[writer][page];
        }
        long found = BitConverter.ToInt64(bytes[(int)CounterOffset..]);
        if (found != counted) Fail("page " + page + ": counted " + counted + " times, and is " + found);
    }
}
