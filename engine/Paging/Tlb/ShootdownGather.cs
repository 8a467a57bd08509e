using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tlb;

/// <summary>
/// Collects what an operation takes away, page, range or everything, and then invalidates once: the one way by which
/// translations become wrong.
/// </summary>
/// <remarks>
/// <code>
///   var gather = new ShootdownGather(consumers, limbo);
///   pmap.Remove(gpa, length, frames, ref gather);   // entries change, D moves to the frames
///   gather.Commit();                                // generation + 1, the rest by and by; or CommitAndWait
/// </code>
/// A struct on the stack of one thread. Forgetting to commit leaks what was gathered. Consumers flush everything when
/// the generation moves, so no addresses are kept.
/// </remarks>
[AllocationFree]
public unsafe struct ShootdownGather : IRemovalSink
{
    private readonly ConsumerTable _consumers;
    private readonly Limbo _limbo;
    private readonly FrameTable _frames;
    private uint _first;
    private uint _last;
    private int _count;
    private bool _changed;

    /// <summary>An empty gather.</summary>
    public ShootdownGather(ConsumerTable consumers, Limbo limbo)
    {
        _consumers = consumers;
        _limbo = limbo;
        _frames = limbo.Frames;
        if (Planted.Is(PlantedFault.GenerationBeforeEntries)) _consumers.Advance();
    }

    /// <summary>Nothing was taken away yet.</summary>
    public readonly bool IsEmpty => !_changed && _count == 0;

    /// <inheritdoc/>
    public void Page(ulong gpa, ulong oldEntry, int level) => Change();

    /// <inheritdoc/>
    public void Changed(ulong gpa, ulong oldEntry, int level) => Change();

    /// <inheritdoc/>
    public void TablePage(uint pfn) => Frame(pfn);

    /// <inheritdoc/>
    public void RetiredTable(uint pfn) => Queue(pfn);

    /// <summary>
    /// A frame lost its last way to be reached. It is free once every consumer let it go and no hold is left.
    /// </summary>
    public void Frame(uint pfn)
    {
        _changed = true;
        Queue(pfn);
    }

    /// <summary>Invalidates, if something became wrong, and leaves the waiting to limbo.</summary>
    public void Commit()
    {
        if (_changed) Publish();
        else if (_count != 0) Retire();
    }

    /// <summary>
    /// Invalidates in any case and returns when every consumer has let go of what was there before. The caller is in no
    /// slot and holds no window lock.
    /// </summary>
    public void CommitAndWait() => _consumers.WaitFor(Publish());

    private void Change()
    {
        // The locked operation of the next entry would wait for a store, not for a load: 1 ns a page.
        if (!_changed) _changed = true;
    }

    private void Queue(uint pfn)
    {
        _frames.ToLimbo(pfn, _first);
        if (_first == 0) _last = pfn;
        _first = pfn;
        _count++;
    }

    private ulong Publish()
    {
        ulong tag = Planted.Is(PlantedFault.GenerationBeforeEntries) ? _consumers.Generation : _consumers.Advance();
        if (Planted.Is(PlantedFault.TagBeforeIncrement)) tag--;
        if (_count != 0) _limbo.Add(_first, _last, _count, tag);
        Clear();
        return tag;
    }

    /// <summary>Nothing became wrong: the frames wait for a generation that somebody else makes.</summary>
    private void Retire()
    {
        _limbo.Retire(_first, _last, _count);
        Clear();
    }

    private void Clear()
    {
        _first = 0;
        _last = 0;
        _count = 0;
        _changed = false;
    }
}
