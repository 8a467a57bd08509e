using System.Collections.Generic;

namespace Pagoda.Simulator.Scheduling;

/// <summary>
/// Goes through every schedule with a bounded number of preemptions, one a run: depth first over the choices made.
/// </summary>
/// <remarks>
/// A choice is who goes on, and whether the stores of whoever stops leave its buffer first or stay in it. Where the
/// running actor waits or ends, any other may follow and it costs nothing; anywhere else it is a preemption. Actors are
/// preempted in front of accesses to cells that two of them meet at, one writing: in front of another access it makes
/// no difference. Which cells those are is learnt: <see cref="HasLearnt"/> says that the exploration must be repeated.
/// </remarks>
internal sealed unsafe class ExplorerPolicy : Policy
{
    private const int ByteBits = 3;
    private const int StaysShift = 8;

    private readonly List<Choice> _path = [];
    private readonly List<int> _options = [];
    private readonly Dictionary<nuint, Users> _cells = [];
    private readonly HashSet<nuint> _meeting = [];
    private int _depth;
    private int _preemptions;
    private int _preemptionsMax;

    private struct Choice
    {
        public int Taken;
        public int Options;
    }

    private struct Users
    {
        public uint Actors;
        public bool Written;

        public readonly bool Meet => Written && (Actors & (Actors - 1)) != 0;
    }

    /// <summary>Cells at which actors are preempted.</summary>
    public int Meetings => _meeting.Count;

    /// <summary>A cell was found at which actors meet, and was not preempted at.</summary>
    public bool HasLearnt { get; private set; }

    /// <summary>Starts over, with what was learnt.</summary>
    public void Restart(int preemptionsMax)
    {
        _preemptionsMax = preemptionsMax;
        _path.Clear();
        HasLearnt = false;
        foreach ((nuint cell, Users users) in _cells)
        {
            if (users.Meet) _meeting.Add(cell);
        }
    }

    /// <summary>Moves on to the next schedule; false when there is none.</summary>
    public bool TryAdvance()
    {
        while (_path.Count != 0)
        {
            Choice last = _path[^1];
            if (last.Taken + 1 < last.Options)
            {
                last.Taken++;
                _path[^1] = last;
                return true;
            }
            _path.RemoveAt(_path.Count - 1);
        }
        return false;
    }

    public override int Begin(Scheduler scheduler)
    {
        _depth = 0;
        _preemptions = 0;
        return Take(scheduler.Count);
    }

    public override int RunLength(Scheduler scheduler) => 1;

    public override int Choose(Scheduler scheduler, int current, bool waits)
    {
        bool mustLeave = current < 0 || waits;
        bool meets = !mustLeave && Note(scheduler, current);
        if (!mustLeave && (!meets || _preemptions == _preemptionsMax)) return current;
        SimThread? running = SimThread.Current;
        bool hasStores = running is { Buffer.Count: > 0 };
        _options.Clear();
        if (!mustLeave) _options.Add(current);
        AddOptions(scheduler, current, hasStores, waiting: false);
        // While somebody can go on, who waits looks again only where a preemption lets it.
        if (_options.Count == 0 || !mustLeave) AddOptions(scheduler, current, hasStores, waiting: true);
        if (_options.Count == 0) return NextWaiting(scheduler, current);
        int taken = Take(_options.Count);
        if (!mustLeave && taken == 0) return current;
        if (!mustLeave) _preemptions++;
        int option = _options[taken];
        if (hasStores && option >> StaysShift == 0) running!.Buffer.DrainAll();
        return option & ((1 << StaysShift) - 1);
    }

    private void AddOptions(Scheduler scheduler, int current, bool hasStores, bool waiting)
    {
        for (int i = 0; i < scheduler.Count; i++)
        {
            SimThread thread = scheduler[i];
            if (i == current || !thread.IsReady || thread.IsWaiting != waiting) continue;
            if (waiting && thread.WaitsSince == scheduler.Changes) continue;
            _options.Add(i);
            if (hasStores) _options.Add(i | 1 << StaysShift);
        }
    }

    /// <summary>The choice at this depth: as the path says, or the first of a new one.</summary>
    private int Take(int options)
    {
        if (_depth < _path.Count && _path[_depth].Options != options)
        {
            // The path does not lead here again: this pass shows nothing, and the next one starts over.
            _path.RemoveRange(_depth, _path.Count - _depth);
            HasLearnt = true;
        }
        if (_depth == _path.Count) _path.Add(new Choice { Options = options });
        return _path[_depth++].Taken;
    }

    /// <summary>Is the cell of the step one at which actors meet?</summary>
    private bool Note(Scheduler scheduler, int current)
    {
        if (scheduler.Cell == null) return false;
        if (scheduler.Cell == Scheduler.AnyCell) return true;
        // What lies elsewhere is at another address in the next world.
        if (!scheduler.Stock.Contains(scheduler.Cell) && !scheduler.Watch.Contains(scheduler.Cell)) return false;
        nuint cell = (nuint)scheduler.Cell >> ByteBits;
        _cells.TryGetValue(cell, out Users users);
        users.Actors |= 1U << current;
        users.Written |= scheduler.Writes;
        _cells[cell] = users;
        // What is learnt in this pass counts from the next one on: a path must meet the same choices again.
        if (_meeting.Contains(cell)) return true;
        HasLearnt |= users.Meet;
        return false;
    }

    private static int NextWaiting(Scheduler scheduler, int current)
    {
        for (int i = 0; i < scheduler.Count; i++) scheduler[i].Buffer.DrainAll();
        int next = current < 0 ? 0 : current;
        for (int i = 0; i < scheduler.Count; i++)
        {
            next = (next + 1) % scheduler.Count;
            if (scheduler[next].IsReady) return next;
        }
        return current;
    }
}
