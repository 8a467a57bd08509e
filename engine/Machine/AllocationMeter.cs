using System;

namespace Pagoda.Machine;

/// <summary>Measures the managed bytes and collections of the whole process, but for what one thread does in pauses.
/// </summary>
/// <remarks>
/// What other threads allocate during a pause counts. Use: Start, any number of Pause and Resume, Stop, on one thread.
/// </remarks>
public struct AllocationMeter
{
    private long _bytesAtStart;
    private long _ownBytesAtPause;
    private long _leftOut;
    private int _collectionsAtStart;
    private int _collectionsAtPause;

    /// <summary>Bytes measured; final after Stop.</summary>
    public long Bytes { get; private set; }

    /// <summary>Collections measured, of every generation; final after Stop.</summary>
    public int Collections { get; private set; }

    /// <summary>Starts measuring from zero.</summary>
    public void Start()
    {
        this = default;
        _collectionsAtStart = GC.CollectionCount(0);
        _bytesAtStart = GC.GetTotalAllocatedBytes(precise: true);
    }

    /// <summary>Leaves out what this thread allocates from here on.</summary>
    public void Pause()
    {
        _collectionsAtPause = GC.CollectionCount(0);
        _ownBytesAtPause = GC.GetAllocatedBytesForCurrentThread();
    }

    /// <summary>Goes on measuring this thread too.</summary>
    public void Resume()
    {
        _leftOut += GC.GetAllocatedBytesForCurrentThread() - _ownBytesAtPause;
        _collectionsAtStart += GC.CollectionCount(0) - _collectionsAtPause;
    }

    /// <summary>Ends the measurement.</summary>
    public void Stop()
    {
        Bytes = GC.GetTotalAllocatedBytes(precise: true) - _bytesAtStart - _leftOut;
        Collections = GC.CollectionCount(0) - _collectionsAtStart;
    }
}
