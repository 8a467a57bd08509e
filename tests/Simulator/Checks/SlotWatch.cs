using System.Runtime.CompilerServices;
using Pagoda.Simulator.Scheduling;
using Pagoda.Tlb;

namespace Pagoda.Simulator.Checks;

/// <summary>Who is in which consumer slot: an actor that falls asleep is in none.</summary>
internal sealed unsafe class SlotWatch(Scheduler scheduler)
{
    private const int SlotsMax = 64;

    private readonly Scheduler _scheduler = scheduler;
    private readonly int[] _actors = new int[SlotsMax];
    private byte* _cells;
    private nuint _bytes;

    /// <summary>Watches the slots of a table, all of which are empty.</summary>
    public void Attach(ConsumerTable table, int slots)
    {
        _cells = CellsOf(table);
        _bytes = (nuint)int.Min(slots, SlotsMax) * ConsumerTable.CellBytes;
        System.Array.Fill(_actors, -1);
    }

    /// <summary>Watches nothing.</summary>
    public void Detach() => _bytes = 0;

    /// <summary>An actor writes a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(void* cell, ulong value, int actor)
    {
        nuint offset = (nuint)((byte*)cell - _cells);
        if (offset < _bytes && offset % ConsumerTable.CellBytes == 0)
            _actors[offset / ConsumerTable.CellBytes] = value == 0 ? -1 : actor;
    }

    /// <summary>An actor falls asleep.</summary>
    public void Sleeps(int actor)
    {
        for (int slot = 0; slot < (int)(_bytes / ConsumerTable.CellBytes); slot++)
        {
            if (_actors[slot] == actor) _scheduler.Fail("sleeps inside consumer slot " + slot);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_cells")]
    private static extern ref byte* FieldOf(ConsumerTable table);

    private static byte* CellsOf(ConsumerTable table) => FieldOf(table);
}
