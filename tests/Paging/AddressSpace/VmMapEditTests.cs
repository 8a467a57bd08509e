using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

/// <summary>The map against a dictionary of pages.</summary>
public sealed class VmMapEditTests
{
    private const ulong PageBytes = 4096;
    private const ulong Pages = 40;
    private const int Objects = 20;

    private sealed record Page(int Object, ulong Index, Prot Prot);

    private readonly VmObject[] _objects = new VmObject[Objects];
    private readonly Dictionary<ulong, Page> _model = [];
    private Arena _arena = null!;
    private VmMap _map = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        for (int i = 0; i < Objects; i++) _objects[i] = new VmObject(_arena, Pages * PageBytes);
        _map = new VmMap();
        _model.Clear();
    }

    [TearDown]
    public void TearDown()
    {
        Take(0, Pages);
        _map.Dispose();
        foreach (VmObject memory in _objects) memory.Dispose();
        _arena.Dispose();
    }

    [TestCase(1UL)]
    [TestCase(2UL)]
    [TestCase(3UL)]
    public void AgreesWithADictionaryOfPages(ulong seed)
    {
        var random = new SeededGenerator(seed);
        for (int i = 0; i < 600; i++)
        {
            ulong first = random.Below(Pages);
            ulong count = 1 + random.Below(Pages - first);
            switch (random.Below(3))
            {
                case 0: Insert(first, count, random); break;
                case 1: Take(first, ulong.Min(count, 6)); break;
                default: Protect(first, count, random.Pick<Prot>([Prot.All, Prot.Read, Prot.ReadWrite])); break;
            }
            Compare(random);
        }
    }

    [Test]
    public void TheMapSaysWhenItHasLetAnObjectGo()
    {
        Put(0, 4, 0, 0);
        Put(8, 4, 0, 8);
        _map.BeginEdit();
        Assert.That(_map.TryTake(0, 2 * PageBytes, out MapEntry entry, out _, out bool last), Is.True);
        Assert.That(last, Is.False, "the second half is still there");
        Assert.That(entry.Length, Is.EqualTo(2 * PageBytes));
        Assert.That(_map.TryTake(0, 4 * PageBytes, out _, out _, out last), Is.True);
        Assert.That(last, Is.False);
        Assert.That(_map.Shows(_objects[0]), Is.True);
        Assert.That(_map.TryTake(0, 12 * PageBytes, out _, out VmObject? memory, out last), Is.True);
        Assert.That(last, Is.True);
        Assert.That(memory, Is.SameAs(_objects[0]));
        Assert.That(_map.Shows(_objects[0]), Is.False);
        Assert.That(_map.TryTake(0, 12 * PageBytes, out _, out _, out _), Is.False);
        _map.EndEdit();
    }

    [Test]
    public void RoomEndsAtTheLimit()
    {
        Assert.That(_map.HasRoom(VmMap.EntriesMax), Is.True);
        Put(0, 1, 0, 0);
        Assert.That(_map.HasRoom(VmMap.EntriesMax), Is.False);
        Assert.That(_map.HasRoom(VmMap.EntriesMax - 1), Is.True);
    }

    [Test]
    public void AnOverlappingInsertionIsADefect()
    {
        Put(0, 4, 0, 0);
        var entry = new MapEntry { Start = 3 * PageBytes, End = 5 * PageBytes };
        _map.BeginEdit();
        Assert.That(() => _map.Insert(entry, _objects[1]), Throws.TypeOf<InvariantException>());
        _map.EndEdit();
    }

    private void Insert(ulong first, ulong count, SeededGenerator random)
    {
        bool free = _map.IsFree(first * PageBytes, (first + count) * PageBytes);
        for (ulong page = first; page < first + count; page++)
        {
            if (!_model.ContainsKey(page)) continue;
            Assert.That(free, Is.False, random.ToString());
            return;
        }
        Assert.That(free, Is.True, random.ToString());
        Put(first, count, random.Below(Objects), random.Below(Pages - count + 1));
    }

    private void Put(ulong first, ulong count, int memory, ulong index)
    {
        for (ulong i = 0; i < count; i++) _model[first + i] = new Page(memory, index + i, Prot.All);
        _map.BeginEdit();
        _map.Insert(new MapEntry
        {
            Start = first * PageBytes,
            End = (first + count) * PageBytes,
            Page = index,
            Prot = Prot.All,
            ProtMax = Prot.All,
        }, _objects[memory]);
        _map.EndEdit();
    }

    private void Take(ulong first, ulong count)
    {
        ulong start = first * PageBytes;
        ulong end = (first + count) * PageBytes;
        int expected = _map.CountIn(start, end);
        _map.BeginEdit();
        while (_map.TryTake(start, end, out MapEntry entry, out VmObject? memory, out bool last))
        {
            expected--;
            for (ulong page = entry.Start / PageBytes; page < entry.End / PageBytes; page++)
            {
                Assert.That(_model.Remove(page, out Page? shown), Is.True);
                Assert.That(memory, Is.SameAs(_objects[shown!.Object]));
                Assert.That(entry.PageAt(page * PageBytes), Is.EqualTo(shown.Index));
            }
            bool others = false;
            foreach (Page shown in _model.Values) others |= ReferenceEquals(_objects[shown.Object], memory);
            Assert.That(last, Is.Not.EqualTo(others));
        }
        _map.EndEdit();
        Assert.That(expected, Is.Zero);
    }

    private void Protect(ulong first, ulong count, Prot prot)
    {
        for (ulong page = first; page < first + count; page++)
        {
            if (_model.TryGetValue(page, out Page? shown)) _model[page] = shown with { Prot = prot };
        }
        _map.BeginEdit();
        _map.SetProt(first * PageBytes, (first + count) * PageBytes, prot);
        _map.EndEdit();
    }

    private void Compare(SeededGenerator random)
    {
        ulong firstHole = Pages;
        int runs = 0;
        Page? previous = null;
        for (ulong page = 0; page < Pages; page++)
        {
            bool found = _map.TryFind(page * PageBytes + 5, out MapEntry entry, out VmObject? memory, out _);
            bool expected = _model.TryGetValue(page, out Page? shown);
            Assert.That(found, Is.EqualTo(expected), random.ToString());
            if (!expected) firstHole = ulong.Min(firstHole, page);
            if (expected)
            {
                Assert.That(memory, Is.SameAs(_objects[shown!.Object]), random.ToString());
                Assert.That(entry.PageAt(page * PageBytes), Is.EqualTo(shown.Index), random.ToString());
                Assert.That(entry.Prot, Is.EqualTo(shown.Prot), random.ToString());
                bool goesOn = previous is not null && previous with { Index = previous.Index + 1 } == shown;
                if (!goesOn) runs++;
            }
            previous = shown;
        }
        Assert.That(_map.Count, Is.EqualTo(runs), "entries that could be one are one; " + random);
        bool covers = _map.Covers(0, Pages * PageBytes, out ulong hole);
        Assert.That(covers, Is.EqualTo(firstHole == Pages), random.ToString());
        if (!covers) Assert.That(hole, Is.EqualTo(firstHole * PageBytes), random.ToString());
    }
}
