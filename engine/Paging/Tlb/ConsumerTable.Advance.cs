using Pagoda.Core;

namespace Pagoda.Tlb;

/// <summary>The taker's side: advance, wait, the recycler's minimum, destroy.</summary>
public sealed unsafe partial class ConsumerTable
{
    /// <summary>Announces that entries have changed. Once a gather, behind the last change.</summary>
    /// <returns>The tag of what was taken: the generation that this call made.</returns>
    /// <remarks>
    /// Locked: two takers never share a generation by accident, and the changes before it are visible to whoever
    /// reads it. Tags are the value returned here, never one read before.
    /// </remarks>
    public ulong Advance()
    {
        if (!Planted.Is(PlantedFault.GenerationByLoadAndStore)) return Shared.Increment(&_header->Generation);
        ulong next = Shared.Load(&_header->Generation) + 1;
        Shared.Store(&_header->Generation, next);
        return next;
    }

    /// <summary>
    /// Waits until every consumer is inactive or has acknowledged <paramref name="tag"/>. The caller is in no slot of
    /// this table and holds no window lock.
    /// </summary>
    public void WaitFor(ulong tag)
    {
        if (Planted.Is(PlantedFault.NoWaitForConsumers)) return;
        int slots = (int)Shared.Load(&_header->Slots);
        for (int slot = 0; slot < slots; slot++)
        {
            ulong* word = &CellOf(slot)->Word;
            // Seen inactive once is good for all: a later entry reads this generation or a newer one.
            if (HasLetGo(Shared.Load(word), tag)) continue;
            Shared.Increment(&_header->Kicks);
            var wait = default(Wait);
            do wait.Step();
            while (!HasLetGo(Shared.Load(word), tag));
        }
    }

    /// <summary>Would <see cref="WaitFor"/> return at once?</summary>
    public bool HasPassed(ulong tag) => Oldest() >= tag;

    /// <summary>What is tagged with this or less can be reached by nobody any more.</summary>
    public ulong Oldest()
    {
        // The generation first: read behind the scan, a consumer passed over as inactive could have entered with
        // an older one, and what is unlinked after that would be recycled under it.
        ulong oldest = Planted.Is(PlantedFault.GenerationReadBehindScan) ? ulong.MaxValue : Generation;
        int slots = (int)Shared.Load(&_header->Slots);
        for (int slot = 0; slot < slots; slot++)
        {
            ulong word = Shared.Load(&CellOf(slot)->Word);
            if (Planted.Is(PlantedFault.RecyclerSkipsWalkers) && slot < Planted.HostSlots) continue;
            if (word != 0 && word < oldest) oldest = word;
        }
        if (Planted.Is(PlantedFault.GenerationReadBehindScan) && oldest == ulong.MaxValue) return Generation;
        return oldest;
    }

    /// <summary>Says that the guest is being destroyed. True for the one caller who is first.</summary>
    public bool BeginDestroy()
    {
        // Exchange: behind it, every word that is not yet visible belongs to an entry that will see the mark.
        if (Planted.Is(PlantedFault.DyingByStore))
        {
            Advance();
            Shared.Store(&_header->Dying, 1);
            return true;
        }
        if (Shared.Exchange(&_header->Dying, 1) != 0) return false;
        // Who is inside polls the generation alone, and asks for the mark when it has moved.
        Advance();
        return true;
    }

    /// <summary>
    /// Waits until every consumer has left its slot. Behind <see cref="BeginDestroy"/> none enters again.
    /// </summary>
    public void WaitAllInactive()
    {
        Invariant.Require(IsDying);
        if (Planted.Is(PlantedFault.DestroyWithoutWait)) return;
        WaitFor(ulong.MaxValue);
    }

    /// <summary>For tests of very old tags: as if so many generations had passed.</summary>
    internal void TestHookSkipGenerations(ulong count) => Shared.Add(&_header->Generation, count);

    private static bool HasLetGo(ulong word, ulong tag)
    {
        if (Planted.Is(PlantedFault.WaitOneGenerationShort) && word == tag - 1) return true;
        return word == 0 || word >= tag;
    }
}
