namespace Pagoda.Simulator.Memory;

/// <summary>Sees guests' stores leave their buffers.</summary>
internal interface IStoreObserver
{
    /// <summary>The store becomes visible in this step.</summary>
    void Visible(in PendingStore store);
}
