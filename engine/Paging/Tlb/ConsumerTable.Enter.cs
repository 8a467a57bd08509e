using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Tlb;

/// <summary>The consumer's side: entry, poll, acknowledgement, exit.</summary>
public sealed unsafe partial class ConsumerTable
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Enters a slot whose consumer keeps translations.</summary>
    /// <param name="slot">The caller's own.</param>
    /// <param name="seen">The generation that the consumer's translations are good for; updated.</param>
    /// <param name="flush">Empty the TLB, then <see cref="Acknowledge"/>, before anything is translated.</param>
    /// <returns>False: the guest is being destroyed, and the slot was not entered.</returns>
    public bool Enter(int slot, ref ulong seen, out bool flush)
    {
        if (!EnterWalker(slot))
        {
            flush = false;
            return false;
        }
        // Read again, behind the fence: whoever did not see the word set advanced the generation before this load.
        ulong generation = Shared.Load(&_header->Generation);
        flush = generation != seen && !Planted.Is(PlantedFault.EntryWithoutFlush);
        seen = generation;
        // With a flush to do, the older word holds every taker back until it is done.
        if (!flush) Acknowledge(slot, generation);
        return true;
    }

    /// <summary>Enters a slot whose consumer keeps no translation: a walk, which is short and does not block.</summary>
    /// <returns>False: the guest is being destroyed, and the slot was not entered.</returns>
    [MethodImpl(Inline)]
    public bool EnterWalker(int slot)
    {
        ulong* word = &CellOf(slot)->Word;
        Invariant.Assert(Shared.Load(word) == 0);
        bool dying = Planted.Is(PlantedFault.DyingTestedBeforeEntry) && IsDying;
        // Exchange, the full fence of the handshake: the word is visible before the generation, the
        // dying mark or any entry is read. The generation of this load may be old: that only holds others back.
        if (Planted.Is(PlantedFault.EntryWithoutFence)) Shared.Store(word, Shared.Load(&_header->Generation));
        else Shared.Exchange(word, Shared.Load(&_header->Generation));
        // Tested behind the entry: a destroyer that missed the word had set the mark before.
        if (!Planted.Is(PlantedFault.DyingTestedBeforeEntry)) dying = IsDying;
        if (!dying) return true;
        Exit(slot);
        return false;
    }

    /// <summary>
    /// The poll at a block boundary: must the TLB be emptied, or the slot be left (<see cref="IsDying"/>)?
    /// </summary>
    /// <param name="slot">The caller's own.</param>
    /// <param name="seen">Updated to the generation to acknowledge, read before the flush.</param>
    [MethodImpl(Inline)]
    public bool MustFlush(int slot, ref ulong seen)
    {
        Invariant.Assert(Shared.Load(&CellOf(slot)->Word) != 0);
        ulong generation = Shared.Load(&_header->Generation);
        if (generation == seen) return false;
        seen = generation;
        if (Planted.Is(PlantedFault.AcknowledgedBeforeFlush)) Acknowledge(slot, generation);
        return true;
    }

    /// <summary>No translation older than <paramref name="seen"/> is left.</summary>
    /// <remarks>
    /// Release: the stores of the guest through old translations, and the flush, stay in front.
    /// </remarks>
    [MethodImpl(Inline)]
    public void Acknowledge(int slot, ulong seen)
    {
        if (Planted.Is(PlantedFault.AcknowledgesUnseenGeneration)) seen = Shared.Load(&_header->Generation);
        if (Planted.Is(PlantedFault.AcknowledgementNotRelease)) Planted.PlainStore(&CellOf(slot)->Word, seen);
        else Shared.Store(&CellOf(slot)->Word, seen);
    }

    /// <summary>Leaves the slot. Release: every use of what a walk found stays in front.</summary>
    [MethodImpl(Inline)]
    public void Exit(int slot)
    {
        if (Planted.Is(PlantedFault.ExitNotRelease)) Planted.PlainStore(&CellOf(slot)->Word, 0);
        else Shared.Store(&CellOf(slot)->Word, 0);
    }
}
