using NUnit.Framework;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

/// <summary>One invalidation a gather, none for an empty one, and table pages go the way of frames.</summary>
public sealed class ShootdownGatherTests
{
    private Arena _arena = null!;
    private ConsumerTable _table = null!;
    private Limbo _limbo = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = Core.Paging.WindowBytes });
        _table = new ConsumerTable(1);
        _limbo = new Limbo(_arena, _table);
    }

    [TearDown]
    public void TearDown()
    {
        _limbo.Dispose();
        _table.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void AnEmptyGatherInvalidatesNothing()
    {
        var gather = new ShootdownGather(_table, _limbo);
        Assert.That(gather.IsEmpty);
        gather.Commit();
        Assert.That(_table.Invalidations, Is.Zero);
    }

    [Test]
    public void AnyNumberOfPagesIsOneInvalidation()
    {
        var gather = new ShootdownGather(_table, _limbo);
        for (ulong page = 0; page < 512; page++) gather.Page(page << Core.Paging.PageShift, 1, 1);
        gather.Changed(0, 3, 1);
        Assert.That(gather.IsEmpty, Is.False);
        gather.Commit();
        Assert.That(_table.Invalidations, Is.EqualTo(1));
        Assert.That(gather.IsEmpty);
    }

    [Test]
    public void WaitingInvalidatesInAnyCase()
    {
        var gather = new ShootdownGather(_table, _limbo);
        gather.CommitAndWait();
        Assert.That(_table.Invalidations, Is.EqualTo(1));
    }

    [Test]
    public void TablePagesComeBackThroughLimbo()
    {
        ulong free = _arena.Allocator.FreeFrames;
        var gather = new ShootdownGather(_table, _limbo);
        for (int i = 0; i < 5; i++)
        {
            uint pfn = _arena.Allocator.TryTake(0);
            _arena.Frames.ToTable(pfn, 0, 1);
            gather.TablePage(pfn);
        }
        gather.CommitAndWait();
        Assert.That(_limbo.Count, Is.EqualTo(5));
        Assert.That(_limbo.Recycle(), Is.EqualTo(5));
        Assert.That(_arena.Allocator.FreeFrames, Is.EqualTo(free));
    }
}
