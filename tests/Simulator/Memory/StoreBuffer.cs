using System.Runtime.InteropServices;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Memory;

/// <summary>The store buffer of one simulated processor.</summary>
/// <remarks>
/// Loads of the same thread see what is in it; others see a store when it has left. It is emptied by full fences and
/// locked operations, by the scheduler when it likes, and gives up its oldest store when it is full.
/// </remarks>
internal sealed unsafe class StoreBuffer(SimThread owner)
{
    private const int Capacity = 12;

    private readonly PendingStore[] _stores = new PendingStore[Capacity];
    private readonly SimThread _owner = owner;
    private readonly Scheduler _scheduler = owner.Scheduler;

    public int Count { get; private set; }

    public void Clear() => Count = 0;

    public void Add(in PendingStore store)
    {
        if (Count == Capacity) Leave(0);
        _stores[Count++] = store;
    }

    /// <summary>The newest store to exactly these bytes.</summary>
    public bool TryForward(byte* address, int bytes, out ulong value)
    {
        for (int i = Count - 1; i >= 0; i--)
        {
            ref PendingStore store = ref _stores[i];
            if (!store.Overlaps(address, bytes)) continue;
            value = store.Value;
            if (store.Kind == StoreKind.Streaming || (store.Address == address && store.Bytes == bytes)) return true;
            // Another width: what a processor would put together, it waits for here.
            DrainUpTo(i);
            break;
        }
        value = 0;
        return false;
    }

    /// <summary>Empties it: a full fence.</summary>
    public void DrainAll()
    {
        while (Count != 0) Leave(0);
    }

    /// <summary>A locked operation: everything leaves, streaming stores where the processor is an x86.</summary>
    public void DrainForLocked()
    {
        if (_scheduler.Mode == MemoryMode.Tso)
        {
            DrainAll();
            return;
        }
        for (int i = 0; i < Count;)
        {
            if (_stores[i].Kind == StoreKind.Streaming) i++;
            else Leave(i);
        }
    }

    /// <summary>Lets one store leave that may, chosen by a number.</summary>
    public void DrainOne(int choice)
    {
        if (Count == 0) return;
        int at = choice % Count;
        while (!MayLeave(at)) at--;
        Leave(at);
    }

    // The oldest always may.
    private bool MayLeave(int index)
    {
        ref PendingStore store = ref _stores[index];
        if (index == 0 || store.Kind == StoreKind.Streaming) return true;
        bool overtakes = _scheduler.Mode == MemoryMode.Weak && store.Kind is StoreKind.Plain or StoreKind.Guest;
        for (int i = 0; i < index; i++)
        {
            // Nothing but a fence orders streaming stores before others.
            if (_stores[i].Overlaps(store.Address, store.Bytes)) return false;
            if (_stores[i].Kind != StoreKind.Streaming && !overtakes) return false;
        }
        return true;
    }

    private void DrainUpTo(int index)
    {
        for (; index >= 0; index--) Leave(0);
    }

    private void Leave(int index)
    {
        PendingStore store = _stores[index];
        if (store.Kind != StoreKind.Streaming) _scheduler.Watch.Touch(store.Address);
        Count--;
        for (int i = index; i < Count; i++) _stores[i] = _stores[i + 1];
        bool changed = true;
        switch (store.Bytes)
        {
            case sizeof(ulong):
                changed = *(ulong*)store.Address != store.Value;
                *(ulong*)store.Address = store.Value;
                break;
            case sizeof(uint):
                changed = *(uint*)store.Address != (uint)store.Value;
                *(uint*)store.Address = (uint)store.Value;
                break;
            case sizeof(ushort):
                *(ushort*)store.Address = (ushort)store.Value;
                break;
            case sizeof(byte):
                *store.Address = (byte)store.Value;
                break;
            default:
                NativeMemory.Clear(store.Address, (nuint)store.Bytes);
                break;
        }
        if (changed) _scheduler.Changed();
        _scheduler.Log?.Access(_owner, "visible", store.Address, store.Value);
        if (store.Kind == StoreKind.Guest) _scheduler.Observer?.Visible(in store);
    }
}
