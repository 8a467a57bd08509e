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
    public ulong Advance() => Shared.Increment(&_header->Generation);

    /// <summary>
    /// Waits until every consumer is inactive or has acknowledged <paramref name="tag"/>. The caller is in no slot of
    /// this table and holds no window lock.
    /// </summary>
    public void WaitFor(ulong tag)
    {
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

    /// <summary>What is tagged with this or less can be reached by nobody any more.</summary>
    public ulong Oldest()
    {
        // The generation first: read behind the scan, a consumer passed over as inactive could have entered with
        // an older one, and what is unlinked after that would be recycled under it.
        ulong oldest = Shared.Load(&_header->Generation);
        int slots = (int)Shared.Load(&_header->Slots);
        for (int slot = 0; slot < slots; slot++)
        {
            ulong word = Shared.Load(&CellOf(slot)->Word);
            if (word != 0 && word < oldest) oldest = word;
        }
        return oldest;
    }

    /// <summary>Says that the guest is being destroyed. True for the one caller who is first.</summary>
    public bool BeginDestroy()
    {
        // Exchange: behind it, every word that is not yet visible belongs to an entry that will see the mark.
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
        WaitFor(ulong.MaxValue);
    }

    /// <summary>For tests of very old tags: as if so many generations had passed.</summary>
    internal void TestHookSkipGenerations(ulong count) => Shared.Add(&_header->Generation, count);

    private static bool HasLetGo(ulong word, ulong tag) => word == 0 || word >= tag;
}
