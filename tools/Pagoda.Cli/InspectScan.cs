using System;
using System.Collections.Generic;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>Counts what a tree of tables maps, whatever the tables say.</summary>
/// <remarks>
/// A table met again at the same level counts again but is read once, so tables that point at each other cost one look
/// for each (table, level) that lies in the image, and levels only go down. Beyond <see cref="TablesMax"/> tables,
/// <see cref="CountsMax"/> kept counts or <see cref="StepsMax"/> steps the rest is left out and
/// <see cref="IsComplete"/> is false.
/// </remarks>
internal sealed class InspectScan
{
    /// <summary>The most tables that are read.</summary>
    internal const int TablesMax = 1 << 20;

    /// <summary>The most counts that are kept.</summary>
    internal const int CountsMax = 1 << 23;

    /// <summary>The most entries and counts that are looked at: seconds.</summary>
    internal const long StepsMax = 1L << 29;

    private readonly record struct Node(int First, int Count);

    private readonly PhysicalImage _image;
    private readonly InspectView _view;
    private readonly Dictionary<ulong, int> _known = [];
    private readonly List<Node> _nodes = [];
    private readonly List<ClassCount> _counts = [];
    private readonly ulong[][] _entries = new ulong[Paging.LevelsMax + 1][];
    private readonly ulong[][] _sums = new ulong[Paging.LevelsMax + 1][];
    private readonly int[] _tables = new int[Paging.LevelsMax + 1];
    private readonly int _root;
    private long _steps;

    /// <summary>Scans the tree below <paramref name="root"/>.</summary>
    internal InspectScan(PhysicalImage image, InspectRoot root, InspectView view)
    {
        _image = image;
        _view = view;
        for (int level = 1; level <= root.Format.Levels; level++)
        {
            _entries[level] = new ulong[Paging.EntriesPerTable];
            _sums[level] = new ulong[LeafClass.Count];
        }
        _root = Scan(root.Format.Root, root.Format.Levels);
    }

    /// <summary>False: the tables exceed what is read.</summary>
    internal bool IsComplete { get; private set; } = true;

    /// <summary>What the whole tree maps.</summary>
    internal ReadOnlySpan<ClassCount> Total => CountsOf(_root);

    /// <summary>How many tables of <paramref name="level"/> were read, each once.</summary>
    internal int TablesOf(int level) => _tables[level];

    /// <summary>What the table at <paramref name="hpa"/> maps as one of <paramref name="level"/>.</summary>
    internal ReadOnlySpan<ClassCount> CountsOf(ulong hpa, int level) =>
        _known.TryGetValue(Key(hpa, level), out int node) ? CountsOf(node) : default;

    /// <summary>The one class of which the table's every leaf is, or null.</summary>
    internal LeafClass? UniformClassOf(ulong hpa, int level)
    {
        ReadOnlySpan<ClassCount> counts = CountsOf(hpa, level);
        if (counts.Length != 1 || !counts[0].Class.IsLeaf) return null;
        return counts[0].Class;
    }

    private ReadOnlySpan<ClassCount> CountsOf(int node)
    {
        if (node < 0) return default;
        Node known = _nodes[node];
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_counts).Slice(known.First, known.Count);
    }

    private static ulong Key(ulong hpa, int level) => (hpa & ~Paging.PageOffsetMask) | (uint)level;

    /// <summary>Returns the table's node, or -1 when it is beyond what is read.</summary>
    private int Scan(ulong hpa, int level)
    {
        if (_known.TryGetValue(Key(hpa, level), out int known)) return known;
        if (_nodes.Count >= TablesMax || _counts.Count >= CountsMax || _steps >= StepsMax)
        {
            IsComplete = false;
            return -1;
        }
        ulong[] entries = _entries[level];
        ulong[] sums = _sums[level];
        Array.Clear(sums);
        int count = _image.ReadTable(hpa, entries);
        if (count > 0) _tables[level]++;
        _steps += count;
        for (int i = 0; i < count; i++) Add(entries[i], level, sums);
        // A table that is not there at all is one thing outside, not 512.
        if (count < entries.Length) sums[LeafClass.Outside.Index] += count == 0 ? 1 : (ulong)(entries.Length - count);
        return Keep(Key(hpa, level), sums);
    }

    private void Add(ulong entry, int level, ulong[] sums)
    {
        if (entry == 0)
        {
            sums[LeafClass.Hole.Index] += HolePages(level);
            return;
        }
        EntryFacts facts = _view.Describe(entry, level);
        switch (facts.Kind)
        {
            case EntryKind.Absent:
                sums[LeafClass.Hole.Index] += HolePages(level);
                break;
            case EntryKind.Malformed:
                sums[LeafClass.Malformed.Index]++;
                break;
            case EntryKind.Leaf:
                sums[LeafClass.Of(level, in facts).Index]++;
                break;
            default:
                int child = Scan(facts.Address, level - 1);
                if (child < 0) sums[LeafClass.Unread.Index]++;
                ReadOnlySpan<ClassCount> counts = CountsOf(child);
                foreach (ClassCount below in counts) sums[below.Class.Below(in facts).Index] += below.Count;
                _steps += counts.Length;
                break;
        }
    }

    private static ulong HolePages(int level) => 1UL << (Paging.LevelShift(level) - Paging.PageShift);

    private int Keep(ulong key, ulong[] sums)
    {
        int first = _counts.Count;
        for (int i = 0; i < sums.Length; i++)
        {
            if (sums[i] != 0) _counts.Add(new ClassCount(new LeafClass((byte)i), sums[i]));
        }
        _nodes.Add(new Node(first, _counts.Count - first));
        _known[key] = _nodes.Count - 1;
        return _nodes.Count - 1;
    }
}
