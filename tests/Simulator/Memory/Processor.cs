using System.Runtime.CompilerServices;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Memory;

/// <summary>The simulated processor that the calling actor runs on.</summary>
internal readonly unsafe struct Processor(SimThread thread)
{
    private readonly SimThread _thread = thread;

    /// <summary>False outside every schedule.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryGet(out Processor processor)
    {
        SimThread? thread = SimThread.Current;
        processor = new Processor(thread!);
        return thread is not null;
    }

    public void Step() => _thread.Scheduler.Step(_thread, null, writes: false);

    public ulong Load(byte* cell, int bytes)
    {
        Scheduler scheduler = _thread.Scheduler;
        scheduler.Step(_thread, cell, writes: false);
        scheduler.Watch.Touch(cell);
        if (_thread.Buffer.Count == 0 || !_thread.Buffer.TryForward(cell, bytes, out ulong value))
        {
            value = bytes switch
            {
                sizeof(ulong) => *(ulong*)cell,
                sizeof(uint) => *(uint*)cell,
                sizeof(ushort) => *(ushort*)cell,
                _ => *cell,
            };
        }
        scheduler.Mix(value);
        return value;
    }

    public void Store(byte* cell, ulong value, int bytes, StoreKind kind)
    {
        Scheduler scheduler = _thread.Scheduler;
        scheduler.Step(_thread, cell, writes: true);
        if (kind != StoreKind.Streaming) scheduler.Watch.Touch(cell);
        if (bytes == sizeof(ulong)) scheduler.Slots.Write(cell, value, _thread.Index);
        if (bytes == sizeof(uint)) scheduler.Watch.Word((uint*)cell, (uint)value);
        scheduler.Mix(value);
        scheduler.Log?.Access(_thread, "stores", cell, value);
        _thread.Buffer.Add(new PendingStore { Address = cell, Value = value, Bytes = bytes, Kind = kind });
    }

    /// <summary>A locked operation is about to happen: a step, and an empty buffer.</summary>
    public void Begin(void* cell)
    {
        _thread.Scheduler.Step(_thread, cell, writes: true);
        _thread.Buffer.DrainForLocked();
        _thread.Scheduler.Watch.Touch((byte*)cell);
    }

    /// <summary>It has happened.</summary>
    public ulong End(void* cell, ulong result, bool changed)
    {
        Scheduler scheduler = _thread.Scheduler;
        if (changed)
        {
            scheduler.Changed();
            scheduler.Log?.Access(_thread, "changes, result " + result.ToString("X") + ",", cell, Value(cell));
        }
        scheduler.Mix(result);
        return result;
    }

    /// <summary>A locked exchange writes a cell.</summary>
    public void Exchanges(void* cell, ulong value) => _thread.Scheduler.Slots.Write(cell, value, _thread.Index);

    private static ulong Value(void* cell) => ((nuint)cell & 7) == 0 ? *(ulong*)cell : *(uint*)cell;

    public void Watch(uint* cell, uint value) => _thread.Scheduler.Watch.Word(cell, value);

    public void Fence(bool locked)
    {
        _thread.Scheduler.Step(_thread, null, writes: false);
        if (locked) _thread.Buffer.DrainForLocked();
        else _thread.Buffer.DrainAll();
        _thread.Scheduler.Changed();
    }
}
