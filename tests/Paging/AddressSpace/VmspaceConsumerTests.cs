using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed class VmspaceConsumerTests
{
    [Test]
    public void AConsumerOfADestroyedSpaceEntersNoMoreAndGivesItsFramesBack()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        var space = new Vmspace(arena, new PmapOptions(), 1);
        VmspaceConsumer consumer = space.AddConsumer();
        consumer.Frames.Reserve(20);
        Assert.That(consumer.TryEnter(), Is.True);
        consumer.Exit();
        space.Dispose();
        Assert.That(consumer.TryEnter(), Is.False);
        ArenaBalance.AssertWhole(arena);
        consumer.Dispose();
        consumer.Dispose();
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void AConsumerMayGoAfterItsArena()
    {
        var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        var space = new Vmspace(arena, new PmapOptions(), 1);
        VmspaceConsumer consumer = space.AddConsumer();
        space.Dispose();
        arena.Dispose();
        Assert.That(consumer.Dispose, Throws.Nothing);
    }
}
