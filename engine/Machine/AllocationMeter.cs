using System;

namespace Pagoda.Machine;

/// <summary>
/// Measures the managed bytes of the thread that uses it, and the collections of the process, but for pauses.
/// </summary>
/// <remarks>
/// Use: Start, any number of Pause and Resume, Stop, on one thread; <see cref="Add"/> what other threads of the same
/// work measured. Threads of the runtime (which compile, or run the test that watches) allocate when they like, so the
/// whole process is not measured.
/// </remarks>
public struct AllocationMeter
{
    private long _bytesAtStart;
    private int _collectionsAtStart;

    /// <summary>Bytes measured; final after Stop.</summary>
    public long Bytes { get; private set; }

    /// <summary>Collections measured, of every generation; final after Stop.</summary>
    public int Collections { get; private set; }

    /// <summary>Starts measuring from zero.</summary>
    public void Start()
    {
        this = default;
        Resume();
    }

    /// <summary>Stops measuring for a while.</summary>
    public void Pause() => Stop();

    /// <summary>Goes on measuring.</summary>
    public void Resume()
    {
        _collectionsAtStart = GC.CollectionCount(0);
        _bytesAtStart = GC.GetAllocatedBytesForCurrentThread();
    }

    /// <summary>Ends the measurement, or a part of it.</summary>
    public void Stop()
    {
        Bytes += GC.GetAllocatedBytesForCurrentThread() - _bytesAtStart;
        Collections += GC.CollectionCount(0) - _collectionsAtStart;
    }

    /// <summary>Adds what another thread of the same work measured.</summary>
    /// <param name="bytes">Its bytes.</param>
    public void Add(long bytes) => Bytes += bytes;
}
