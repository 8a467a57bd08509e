using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Physical;

namespace Pagoda.Tests.AddressSpace;

public sealed class VmObjectTableTests
{
    [Test]
    public void NumbersNameLivingObjectsAndAreUsedAgain()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        VmObjectTable table = VmObjectTable.Of(arena);
        Assert.That(VmObjectTable.Of(arena), Is.SameAs(table));
        var objects = new VmObject[40];
        for (int i = 0; i < objects.Length; i++) objects[i] = new VmObject(arena, 4096);
        foreach (VmObject memory in objects)
        {
            Assert.That(memory.Id, Is.Not.Zero);
            Assert.That(table.Find(memory.Id), Is.SameAs(memory));
        }
        uint freed = objects[7].Id;
        objects[7].Dispose();
        Assert.That(table.Find(freed), Is.Null);
        objects[7] = new VmObject(arena, 4096);
        Assert.That(objects[7].Id, Is.EqualTo(freed));
        Assert.That(table.Find(0), Is.Null);
        Assert.That(table.Find(uint.MaxValue), Is.Null);
        foreach (VmObject memory in objects) memory.Dispose();
    }
}
