using System;

namespace Pagoda.Machine;

/// <summary>Measures the managed bytes and collections of the whole process, but for pauses.</summary>
/// <remarks>
/// What other threads allocate during a pause is left out with it. Use: Start, any number of Pause and Resume, Stop.
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
        Bytes = 0;
        Collections = 0;
        Resume();
    }

    /// <summary>Stops measuring for a while.</summary>
    public void Pause() => Stop();

    /// <summary>Goes on measuring.</summary>
    public void Resume()
    {
        _collectionsAtStart = GC.CollectionCount(0);
        _bytesAtStart = GC.GetTotalAllocatedBytes(precise: true);
    }

    /// <summary>Ends the measurement, or a part of it.</summary>
    public void Stop()
    {
        Bytes += GC.GetTotalAllocatedBytes(precise: true) - _bytesAtStart;
        Collections += GC.CollectionCount(0) - _collectionsAtStart;
    }
}
