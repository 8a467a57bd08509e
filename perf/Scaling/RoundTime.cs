using System;

namespace Pagoda.Perf.Scaling;

/// <summary>What one round took.</summary>
/// <param name="Wall">Nanoseconds from the first thread's start to the last one's end.</param>
/// <param name="Processor">Nanoseconds of processor time of all its threads.</param>
internal readonly record struct RoundTime(double Wall, double Processor);

/// <summary>The rounds of one piece of work.</summary>
internal sealed class RoundTimes(int roundsMax)
{
    private const double NearlyAll = 1.1;

    private readonly double[] _wall = new double[roundsMax];
    private readonly double[] _processor = new double[roundsMax];
    private int _count;

    /// <summary>How many rounds there were.</summary>
    public int Count => _count;

    /// <summary>Rounds of two threads in which both had a processor nearly all the time.</summary>
    public int Undisturbed { get; private set; }

    public double BestWall { get; private set; }

    public double MedianWall { get; private set; }

    public double BestProcessor { get; private set; }

    public double MedianProcessor { get; private set; }

    public void Add(RoundTime time)
    {
        if (2 * time.Wall <= NearlyAll * time.Processor) Undisturbed++;
        _wall[_count] = time.Wall;
        _processor[_count++] = time.Processor;
    }

    /// <summary>Behind the last round: the figures. Until the code had its last tier, rounds only move the medians.
    /// </summary>
    public void Close()
    {
        Array.Sort(_wall, 0, _count);
        Array.Sort(_processor, 0, _count);
        BestWall = _wall[0];
        MedianWall = _wall[_count / 2];
        BestProcessor = _processor[0];
        MedianProcessor = _processor[_count / 2];
    }
}
