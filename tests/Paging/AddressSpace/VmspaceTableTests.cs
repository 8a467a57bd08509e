using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.AddressSpace;

public sealed class VmspaceTableTests
{
    [Test]
    public void SpacesAreListedWhileTheyLive()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        var table = VmspaceTable.Of(arena);
        var first = new Vmspace(arena, new PmapOptions { Kind = TableKind.Ept }, 1);
        using var second = new Vmspace(arena, new PmapOptions { Kind = TableKind.Ept }, 1);
        Assert.That(table.Snapshot.ToArray(), Is.EqualTo(new[] { first, second }));
        first.Dispose();
        first.Dispose();
        Assert.That(table.Snapshot.ToArray(), Is.EqualTo(new[] { second }));
        Assert.That(second.Neighbours, Is.SameAs(table));
        Assert.That(table.Relief, Is.Null);
    }
}
