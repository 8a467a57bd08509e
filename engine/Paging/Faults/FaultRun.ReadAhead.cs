using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Pagers;
using Pagoda.Tlb;

namespace Pagoda.Faults;

/// <summary>
/// Read-ahead: pages behind one that is swapped in, of the same window, whose slots follow its slot, come along in the
/// same transfer. They are entered as not accessed, so that those that nobody wants are the first to go.
/// </summary>
/// <remarks>
/// Frames for them are such as nobody needs now: nothing goes for a page that was not asked for. A page that cannot be
/// read stays where it is: whoever asks for it will hear of it. As long as one of the object's pages is ours, its words
/// may be followed outside the slot.
/// </remarks>
internal unsafe ref partial struct FaultRun
{
    /// <summary>Free frames that read-ahead leaves alone.</summary>
    private const int FramesLeft = 64;

    /// <summary>Pages behind the last one that are looked at, at most.</summary>
    private const ulong LookMax = 2 * FaultLanes.AheadMax;

    /// <summary>Claims pages to read ahead behind the last page of a transfer, and adds them to its columns.</summary>
    /// <param name="memory">The object.</param>
    /// <param name="lane">The lane of the last page.</param>
    /// <param name="pages">The pages, ascending.</param>
    /// <param name="frames">Their frames.</param>
    /// <param name="count">How many there are; updated.</param>
    private void AddAheads(VmObject memory, int lane, ulong* pages, uint* frames, ref int count)
    {
        int most = int.Min(_space.ReadAheadPages, FaultLanes.AheadMax - _aheads);
        if (most <= 0 || memory.Pager is not SwapPager pager || !HasRoom(most + FramesLeft)) return;
        uint slot = pager.SlotOf(pages[count - 1]);
        if (slot == 0 || !MayKeep(most)) return;
        ulong page = pages[count - 1] + 1;
        ulong end = page + ulong.Min(LookMax, (ulong)(Paging.WindowPages - 1 - PlaceOf(lane)));
        end = ulong.Min(end, memory.LengthPages);
        for (; page < end && most > 0; page++)
        {
            // A look without the page, so it is looked at again when the page is ours.
            if (pager.SlotOf(page) != slot + 1 || !TryAddAhead(memory, lane, page)) continue;
            slot++;
            most--;
            pages[count] = page;
            frames[count++] = _lanes->AheadFrame[_aheads - 1];
        }
    }

    private bool TryAddAhead(VmObject memory, int lane, ulong page)
    {
        ulong* word = memory.FindWord(page);
        if (word == null) return false;
        ulong seen = Shared.Load(word);
        if (PageWord.StateOf(seen) != PageState.Swapped) return false;
        if (!_consumer.Frames.TryTake(out uint pfn)) return false;
        if (!PageWord.TryMove(word, seen, PageWord.Claimed(seen)))
        {
            _consumer.Frames.Give(pfn);
            return false;
        }
        _space.Arena.Frames.ToPage(pfn, memory.Id, (uint)page);
        _lanes->AheadWord[_aheads] = (ulong)word;
        _lanes->AheadPage[_aheads] = page;
        _lanes->AheadFrame[_aheads] = pfn;
        _lanes->AheadLane[_aheads++] = (byte)lane;
        return true;
    }

    /// <summary>Takes what a transfer did with the pages that were read ahead.</summary>
    /// <param name="status">Of each, in their order.</param>
    /// <param name="first">The first of them among those of the run.</param>
    private void TakeAheads(PagerStatus* status, int first)
    {
        ulong read = 0;
        int kept = first;
        for (int i = first; i < _aheads; i++)
        {
            if (status[i - first] == PagerStatus.Error)
            {
                DropAhead(i);
                continue;
            }
            _lanes->AheadWord[kept] = _lanes->AheadWord[i];
            _lanes->AheadPage[kept] = _lanes->AheadPage[i];
            _lanes->AheadFrame[kept] = _lanes->AheadFrame[i];
            _lanes->AheadLane[kept++] = _lanes->AheadLane[i];
            read++;
        }
        _aheads = kept;
        _consumer.Counters.AddIfAny(Counter.ReadAheads, read);
        _consumer.Counters.AddIfAny(Counter.SwapReadBytes, read << Paging.PageShift);
    }

    /// <summary>Puts a page back into its slot, which it never left.</summary>
    private void DropAhead(int index)
    {
        ulong* word = (ulong*)_lanes->AheadWord[index];
        PageWord.Publish(word, PageWord.Unclaimed(Shared.Load(word)));
        _consumer.Frames.Give(_lanes->AheadFrame[index]);
    }

    private void DropAheads()
    {
        for (int i = 0; i < _aheads; i++) DropAhead(i);
        _aheads = 0;
    }

    /// <summary>
    /// Enters the pages that came along with lanes of a window, under its lock, in the map's generation.
    /// </summary>
    private void EnterAheads(ulong set, ref WindowLock window, ref ShootdownGather gather)
    {
        for (int i = 0; i < _aheads; i++)
        {
            int lane = _lanes->AheadLane[i];
            if ((set >> lane & 1) == 0) continue;
            ulong page = _lanes->AheadPage[i];
            ulong gpa = (_gpa[lane] & ~(ulong)Paging.PageOffsetMask)
                + ((page - _lanes->Page[lane]) << Paging.PageShift);
            // Behind the lane's page another entry may begin.
            bool isShown = _consumer.TryFind(gpa, out MapEntry entry, out VmObject? memory, out ulong generation)
                && generation == _generation && entry.Kind == MapKind.Memory && entry.Wires == 0
                && memory!.Id == _lanes->Object[lane] && entry.PageAt(gpa) == page && entry.Prot != Prot.None;
            if (!isShown) continue;
            var request = new LeafRequest(entry.Prot, Prot.None);
            ulong hpa = (ulong)_lanes->AheadFrame[i] << Paging.PageShift;
            PmapStatus status = _pmap.Enter(ref window, gpa, hpa, in request, _consumer.Frames, ref gather);
            Invariant.Require(status is PmapStatus.Ok or PmapStatus.Unchanged or PmapStatus.NoFrame);
        }
    }

    /// <summary>Ends the claims: the pages are Resident, entered or not, and idle.</summary>
    private void PublishAheads()
    {
        Physical.FrameTable table = _space.Arena.Frames;
        byte idle = unchecked((byte)(Shared.Load(table.Ages) - 1));
        for (int i = 0; i < _aheads; i++)
        {
            ulong* word = (ulong*)_lanes->AheadWord[i];
            uint pfn = _lanes->AheadFrame[i];
            if ((Shared.Load(word) & PageWord.Written) != 0) table.SetWritten(pfn);
            Shared.Store(table.Ages + pfn, idle);
            PageWord.Publish(word, PageWord.Resident((ulong)pfn << Paging.PageShift));
        }
        _aheads = 0;
    }
}
