using System;
using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>
/// Edits. The caller holds the change lock of the vmspace, and has checked everything that could fail.
/// </summary>
/// <remarks>
/// An edit is: <see cref="BeginEdit"/>, changes, <see cref="EndEdit"/>. Both steps of the generation are locked
/// operations: an entry that a fault makes under a window lock is either made by somebody who sees the new generation,
/// or is there when the editor comes to remove it.
/// </remarks>
public sealed unsafe partial class VmMap
{
    /// <summary>Entries that one edit adds at most beside those it inserts: a cut at each end of its range.</summary>
    public const int CutsPerEdit = 2;

    /// <summary>Is there room for this many more entries?</summary>
    public bool HasRoom(int more) => Count + more <= EntriesMax;

    /// <summary>Is no byte of a range mapped?</summary>
    public bool IsFree(ulong start, ulong end)
    {
        int index = FirstEndingBehind(start);
        return index == Count || EntryAt(index).Start >= end;
    }

    /// <summary>Is every byte of a range mapped? If not, <paramref name="hole"/> is the first that is not.</summary>
    public bool Covers(ulong start, ulong end, out ulong hole)
    {
        hole = start;
        for (int index = FirstEndingBehind(start); hole < end; index++)
        {
            if (index == Count) return false;
            MapEntry entry = EntryAt(index);
            if (entry.Start > hole) return false;
            hole = entry.End;
        }
        return true;
    }

    /// <summary>How many entries have a byte in a range.</summary>
    public int CountIn(ulong start, ulong end)
    {
        int first = FirstEndingBehind(start);
        int index = first;
        while (index < Count && EntryAt(index).Start < end) index++;
        return index - first;
    }

    /// <summary>Does some entry show this object?</summary>
    public bool Shows(VmObject memory)
    {
        foreach (VmObject? shown in _objects)
        {
            if (ReferenceEquals(shown, memory)) return true;
        }
        return false;
    }

    /// <summary>Starts an edit: readers wait.</summary>
    public void BeginEdit()
    {
        ulong generation = Shared.Increment(_generation);
        Invariant.Require((generation & 1) == 1);
    }

    /// <summary>Ends an edit: readers see all of it.</summary>
    public void EndEdit()
    {
        ulong generation = Shared.Increment(_generation);
        Invariant.Require((generation & 1) == 0);
    }

    /// <summary>Adds an entry to a free range, and a use to its object.</summary>
    /// <param name="entry">The entry; its object slot is filled in.</param>
    /// <param name="memory">The object.</param>
    public void Insert(MapEntry entry, VmObject memory)
    {
        Invariant.Require(entry.Start < entry.End);
        Invariant.Require(IsFree(entry.Start, entry.End));
        entry.Object = SlotOf(memory);
        _uses[entry.Object]++;
        int index = FirstEndingBehind(entry.Start);
        OpenGap(index);
        WriteEntry(index, in entry);
        Join(index);
        if (index > 0) Join(index - 1);
    }

    /// <summary>Takes the first entry out of a range, cut to it. False: the range is empty.</summary>
    /// <param name="start">First byte of the range.</param>
    /// <param name="end">First byte behind it.</param>
    /// <param name="entry">What was there.</param>
    /// <param name="memory">Its object.</param>
    /// <param name="last">No other entry names that object any more: the map has let it go.</param>
    public bool TryTake(ulong start, ulong end, out MapEntry entry, out VmObject? memory, out bool last)
    {
        Cut(start);
        Cut(end);
        int index = FirstEndingBehind(start);
        entry = index < Count ? EntryAt(index) : default;
        memory = null;
        last = false;
        if (index == Count || entry.Start >= end) return false;
        memory = ObjectAt(entry.Object);
        CloseGap(index);
        last = DropUse(entry.Object);
        return true;
    }

    /// <summary>Gives every entry of a range other rights.</summary>
    public void SetProt(ulong start, ulong end, Prot prot)
    {
        int count = CutOut(start, end, out int first);
        for (int index = first; index < first + count; index++)
        {
            MapEntry entry = EntryAt(index);
            entry.Prot = prot;
            WriteEntry(index, in entry);
        }
        JoinAround(first, count);
    }

    /// <summary>Adds a wiring to every entry of a range, or takes one away from those that have any.</summary>
    public void AddWires(ulong start, ulong end, int delta)
    {
        int count = CutOut(start, end, out int first);
        for (int index = first; index < first + count; index++)
        {
            MapEntry entry = EntryAt(index);
            if (delta < 0 && entry.Wires == 0) continue;
            entry.Wires = checked((byte)(entry.Wires + delta));
            WriteEntry(index, in entry);
        }
        JoinAround(first, count);
    }

    /// <summary>Makes entries of a range of their own; returns how many it has.</summary>
    private int CutOut(ulong start, ulong end, out int first)
    {
        Cut(start);
        Cut(end);
        first = FirstEndingBehind(start);
        return CountIn(start, end);
    }

    /// <summary>Makes entries one again where they can be.</summary>
    private void JoinAround(int first, int count)
    {
        for (int i = first + count - 1; i >= first; i--) Join(i);
        if (first > 0) Join(first - 1);
    }

    /// <summary>Splits the entry that holds an address in two, unless it starts there.</summary>
    private void Cut(ulong gpa)
    {
        int index = LastStartingAtOrBefore(gpa);
        if (index < 0) return;
        MapEntry low = EntryAt(index);
        if (low.Start == gpa || gpa >= low.End) return;
        MapEntry high = low;
        high.Start = gpa;
        high.Page = low.PageAt(gpa);
        low.End = gpa;
        OpenGap(index + 1);
        WriteEntry(index + 1, in high);
        WriteEntry(index, in low);
        _uses[low.Object]++;
    }

    /// <summary>Makes an entry and the one behind it one, if they can be.</summary>
    private void Join(int index)
    {
        if (index + 1 >= Count) return;
        MapEntry low = EntryAt(index);
        MapEntry high = EntryAt(index + 1);
        if (!low.IsContinuedBy(in high)) return;
        low.End = high.End;
        CloseGap(index + 1);
        WriteEntry(index, in low);
        _uses[low.Object]--;
    }

    private void OpenGap(int index)
    {
        int count = Count;
        Invariant.Require(count < EntriesMax);
        for (int i = count; i > index; i--) CopyEntry(i - 1, i);
        Shared.Store(_count, (ulong)(count + 1));
    }

    private void CloseGap(int index)
    {
        int count = Count;
        for (int i = index; i < count - 1; i++) CopyEntry(i + 1, i);
        Shared.Store(_count, (ulong)(count - 1));
    }

    private void CopyEntry(int from, int to)
    {
        MapEntry entry = EntryAt(from);
        WriteEntry(to, in entry);
    }

    private void WriteEntry(int index, in MapEntry entry)
    {
        MapEntry copy = entry;
        ulong* from = (ulong*)&copy;
        ulong* to = _entries + index * WordsPerEntry;
        for (int i = 0; i < WordsPerEntry; i++) Shared.Store(to + i, from[i]);
        Shared.Store(_starts + index, entry.Start);
    }

    private int SlotOf(VmObject memory)
    {
        int free = -1;
        for (int slot = 0; slot < _objects.Length; slot++)
        {
            if (ReferenceEquals(_objects[slot], memory)) return slot;
            if (free < 0 && _objects[slot] is null) free = slot;
        }
        if (free < 0) free = Grow();
        Shared.Store(ref _objects[free], memory);
        return free;
    }

    private int Grow()
    {
        int length = _objects.Length;
        var objects = new VmObject?[2 * length];
        var uses = new int[2 * length];
        Array.Copy(_objects, objects, length);
        Array.Copy(_uses, uses, length);
        _uses = uses;
        Shared.Store(ref _objects, objects);
        return length;
    }

    /// <summary>True when that was the object's last use: its slot is free.</summary>
    private bool DropUse(int slot)
    {
        Invariant.Require(_uses[slot] > 0);
        if (--_uses[slot] != 0) return false;
        Shared.Store(ref _objects[slot], null);
        return true;
    }
}
