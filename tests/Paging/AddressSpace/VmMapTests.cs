using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.AddressSpace;

public sealed class VmMapTests
{
    private Arena _arena = null!;
    private VmObject _memory = null!;
    private VmMap _map = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        _memory = new VmObject(_arena, 1 << 20);
        _map = new VmMap();
    }

    [TearDown]
    public void TearDown()
    {
        _map.BeginEdit();
        while (_map.TryTake(0, ulong.MaxValue, out _, out _, out _)) ;
        _map.EndEdit();
        _map.Dispose();
        _memory.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void AnEmptyMapHoldsNothing()
    {
        Assert.That(_map.TryFind(0, out _, out VmObject? memory, out ulong generation), Is.False);
        Assert.That(memory, Is.Null);
        Assert.That(generation, Is.EqualTo(_map.Generation));
        Assert.That(_map.TryFindFrom(0, out _, out _, out _), Is.False);
    }

    [Test]
    public void ASearchFindsTheEntryThatHoldsTheAddressAndNoOther()
    {
        for (ulong i = 0; i < 9; i++) Insert(0x10000 * (i + 1), 0x3000);
        Assert.That(_map.Count, Is.EqualTo(9));
        for (ulong i = 0; i < 9; i++)
        {
            ulong start = 0x10000 * (i + 1);
            foreach (ulong inside in new[] { start, start + 0x2FFF })
            {
                Assert.That(_map.TryFind(inside, out MapEntry entry, out VmObject? memory, out _), Is.True);
                Assert.That(entry.Start, Is.EqualTo(start));
                Assert.That(memory, Is.SameAs(_memory));
            }
            Assert.That(_map.TryFind(start - 1, out _, out _, out _), Is.False);
            Assert.That(_map.TryFind(start + 0x3000, out _, out _, out _), Is.False);
            Assert.That(_map.TryFindFrom(start - 1, out MapEntry next, out _, out _), Is.True);
            Assert.That(next.Start, Is.EqualTo(start));
        }
        Assert.That(_map.TryFindFrom(0x93000, out _, out _, out _), Is.False);
        Assert.That(_map.TryFind(ulong.MaxValue, out _, out _, out _), Is.False);
    }

    [Test]
    public void EveryEditMovesTheGenerationAndLeavesItEven()
    {
        ulong before = _map.Generation;
        Insert(0x1000, 0x1000);
        Assert.That(_map.Generation, Is.EqualTo(before + 2));
        _map.BeginEdit();
        Assert.That(_map.Generation & 1, Is.EqualTo(1));
        _map.EndEdit();
    }

    private void Insert(ulong start, ulong length)
    {
        _map.BeginEdit();
        _map.Insert(new MapEntry { Start = start, End = start + length, Prot = Prot.All, ProtMax = Prot.All }, _memory);
        _map.EndEdit();
    }
}
