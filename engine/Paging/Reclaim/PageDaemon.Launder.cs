using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Reclaim;

/// <summary>
/// Laundering: dirty pages that are idle are written ahead and stay mapped, so that taking them later costs no I/O. The
/// order is that of every taking of the dirty mark: M out of every entry, the dirty flag, a generation that every
/// consumer acknowledges, then the content. Entries stay writable: a write in between sets M anew, and the page is
/// dirty as before.
/// </summary>
public sealed unsafe partial class PageDaemon
{
    private int _launderSpace = int.MaxValue;
    private ulong _launderGpa;

    /// <summary>
    /// Writes idle dirty pages ahead of the hand. The caller is in no slot; with writers they do the writing.
    /// </summary>
    /// <param name="pages">Pages to look at, at most.</param>
    /// <returns>Pages that are being written, or were.</returns>
    public int Launder(int pages)
    {
        int laundered = 0;
        bool handsOver = _hasThreads;
        while (pages > 0)
        {
            int number = TakeBatch();
            if (number == NoBatch) break;
            EvictionLanes* lanes = BatchAt(number);
            _lock.Acquire();
            bool found = TryPickLaundry(lanes, pages, out _owners[number]);
            if (found) CleanEverywhere(number);
            _lock.Release();
            if (!found)
            {
                GiveBatch(number);
                break;
            }
            pages -= lanes->Count;
            Settle(number);
            SpareWhatIsHeld(lanes);
            // Clean ones have nothing to write.
            laundered += System.Numerics.BitOperations.PopCount(lanes->Dirty & ~lanes->Spared);
            if (handsOver && (lanes->Dirty & ~lanes->Spared) != 0) HandOver(number);
            else StoreAndFinish(number, out _);
        }
        return laundered;
    }

    /// <summary>
    /// Finds idle pages between the hand and the end of the cycle. Every one is Laundering then, and ours.
    /// </summary>
    private bool TryPickLaundry(EvictionLanes* lanes, int wanted, out Vmspace? owner)
    {
        owner = null;
        bool isBehind = _launderSpace < _handSpace || (_launderSpace == _handSpace && _launderGpa < _handGpa);
        if (isBehind)
        {
            _launderSpace = _handSpace;
            _launderGpa = _handGpa;
        }
        Vmspace[] spaces = _spaces.Kept;
        while (lanes->Count == 0)
        {
            if (_launderSpace >= spaces.Length) return false;
            owner = spaces[_launderSpace];
            bool finished = true;
            if (owner.TryLockForReclaim() == ReclaimLock.Taken)
            {
                var picker = new LaundryPicker(_frames, lanes, int.Min(wanted, EvictionLanes.Max), _threshold);
                finished = ResidentScan.Run(owner, ref _launderGpa, ref picker);
                Leave(owner);
            }
            if (!finished) continue;
            _launderSpace++;
            _launderGpa = 0;
        }
        lanes->IsLaundry = true;
        return true;
    }

    /// <summary>Takes M from every entry that shows a page of the batch, then the dirty flags; announces it.</summary>
    private void CleanEverywhere(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        // What may be mapped without being shown cannot be cleaned: then nothing is.
        if (!VisitEverywhere(number)) lanes->Spared = lanes->All;
        TakeDirty(lanes);
        Announce(number);
    }

    /// <summary>Every page is Resident again; one that was not stored, or held, is dirty again.</summary>
    private int FinishLaundry(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        ulong stored = 0;
        for (int lane = 0; lane < lanes->Count; lane++)
        {
            bool spared = (lanes->Spared >> lane & 1) != 0;
            bool dirty = (lanes->Dirty >> lane & 1) != 0;
            uint pfn = lanes->Frame[lane];
            if (spared && dirty) _frames.RestoreDirty(pfn);
            if (!spared && dirty) stored++;
            PageWord.Publish((ulong*)lanes->Word[lane], PageWord.Resident((ulong)pfn << Paging.PageShift));
        }
        if (stored != 0) _owners[number]!.Counters.AddShared(Counter.LaunderedPages, stored);
        return 0;
    }

    private readonly struct LaundryPicker(FrameTable frames, EvictionLanes* lanes, int wanted, byte threshold)
        : IResidentVisitor
    {
        private readonly FrameTable _frames = frames;
        private readonly EvictionLanes* _lanes = lanes;
        private readonly byte _generation = Shared.Load(frames.Ages);

        // What was used in this generation is not idle, whatever the cycle takes.
        private readonly byte _threshold = byte.Max(threshold, 1);

        public bool Visit(VmObject memory, ulong page, ulong* word, ulong seen)
        {
            if (memory.IsZeroFill) return true;
            uint pfn = (uint)(PageWord.HpaOf(seen) >> Paging.PageShift);
            byte age = unchecked((byte)(_generation - Shared.Load(_frames.Ages + pfn)));
            if (age < _threshold || _frames.HoldCount(pfn) != 0 || _frames.WireCount(pfn) != 0) return true;
            if (!PageWord.TryMove(word, seen, PageWord.Laundering(PageWord.HpaOf(seen)))) return true;
            _lanes->Insert(word, page, pfn, memory);
            return _lanes->Count < wanted;
        }
    }
}
