using System.Numerics;
using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>The batches: a fixed set, each with one owner from taking it to giving it back.</summary>
public sealed unsafe partial class PageDaemon
{
    private const int NoBatch = -1;

    private EvictionLanes* BatchAt(int number) => _batches + number;

    /// <summary>Pages of a batch may be on their way out at this moment.</summary>
    private bool AnyBatchOut => Shared.Load(&_state->FreeBatches) != AllBatches;

    private ulong AllBatches => _owners.Length == 64 ? ulong.MaxValue : (1UL << _owners.Length) - 1;

    /// <summary>Takes an empty batch; <see cref="NoBatch"/> when all are out.</summary>
    private int TakeBatch()
    {
        while (true)
        {
            ulong free = Shared.Load(&_state->FreeBatches);
            if (free == 0) return NoBatch;
            int number = BitOperations.TrailingZeroCount(free);
            if (Shared.CompareExchange(&_state->FreeBatches, free & (free - 1), free) == free) return number;
        }
    }

    /// <summary>Gives a batch back: its pages have other owners, or none.</summary>
    private void GiveBatch(int number)
    {
        BatchAt(number)->Clear();
        // Spaces that are gone must not be kept.
        _owners[number] = null;
        _shown[number] = null;
        Shared.Or(&_state->FreeBatches, 1UL << number);
    }

    /// <summary>Every consumer has let the batch's pages go.</summary>
    private bool HasSettled(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        for (int i = 0; i < lanes->Spaces; i++)
        {
            Vmspace space = _shown[number]![lanes->Space[i]];
            if (!space.Consumers.HasPassed(lanes->Tag[i])) return false;
        }
        return true;
    }

    /// <summary>Waits for that. The caller is in no slot.</summary>
    private void Settle(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        if (Planted.Is(PlantedFault.EvictionWithoutGrace)) return;
        for (int i = 0; i < lanes->Spaces; i++) _shown[number]![lanes->Space[i]].Consumers.WaitFor(lanes->Tag[i]);
    }
}
