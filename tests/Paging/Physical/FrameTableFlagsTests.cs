using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameTableFlagsTests
{
    private const uint Pfn = 5;

    [Test]
    public void DirtyIsTakenOnce()
    {
        using FrameTable frames = WithPage();
        Assert.That(frames.TakeDirty(Pfn), Is.False);
        frames.SetDirty(Pfn);
        frames.SetDirty(Pfn);
        Assert.That(frames.IsDirty(Pfn), Is.True);
        Assert.That(frames.TakeDirty(Pfn), Is.True);
        Assert.That(frames.TakeDirty(Pfn), Is.False);
        Assert.That(frames.StateOf(Pfn), Is.EqualTo(FrameState.Page));
    }

    [Test]
    public void FlagsAndWiresDoNotDisturbEachOther()
    {
        using FrameTable frames = WithPage();
        frames.SetCode(Pfn);
        Assert.That(frames.AddWire(Pfn), Is.EqualTo(1));
        Assert.That(frames.AddWire(Pfn), Is.EqualTo(2));
        frames.SetDirty(Pfn);
        Assert.That(frames.ReleaseWire(Pfn), Is.EqualTo(1));
        Assert.That(frames.HasCode(Pfn), Is.True);
        Assert.That(frames.IsDirty(Pfn), Is.True);
        frames.ClearCode(Pfn);
        Assert.That(frames.HasCode(Pfn), Is.False);
        Assert.That(frames.ReleaseWire(Pfn), Is.Zero);
        Assert.That(frames.TakeDirty(Pfn), Is.True);
        Assert.That(frames.IsWritten(Pfn), Is.True);
        Assert.That(frames.TakeWritten(Pfn), Is.True);
        Assert.That(frames.TakeWritten(Pfn), Is.False);
        Assert.That(frames.Record(Pfn)->Word, Is.EqualTo((uint)FrameState.Page));
    }

    [Test]
    public void WiresNeitherUnderflowNorOverflowUnseen()
    {
        using FrameTable frames = WithPage();
        for (int i = 1; i <= ushort.MaxValue; i++) frames.AddWire(Pfn);
        Assert.That(frames.WireCount(Pfn), Is.EqualTo(ushort.MaxValue));
        Assert.That(() => frames.AddWire(Pfn), Throws.TypeOf<InvariantException>());
        using FrameTable others = WithPage();
        Assert.That(() => others.ReleaseWire(Pfn), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void TheLastReleaseOfAnOrphanFreesIt()
    {
        using FrameTable frames = WithPage();
        Assert.That(frames.AddHold(Pfn), Is.EqualTo(1));
        Assert.That(frames.AddHold(Pfn), Is.EqualTo(2));
        Assert.That(frames.Orphan(Pfn), Is.False);
        Assert.That(frames.HoldCount(Pfn), Is.EqualTo(2));
        Assert.That(frames.ReleaseHold(Pfn), Is.False);
        Assert.That(frames.ReleaseHold(Pfn), Is.True);
        Assert.That(frames.Record(Pfn)->Hold, Is.Zero);
    }

    [Test]
    public void AnOrphanThatNobodyHoldsIsFreedAtOnce()
    {
        using FrameTable frames = WithPage();
        frames.AddHold(Pfn);
        Assert.That(frames.ReleaseHold(Pfn), Is.False);
        Assert.That(frames.Orphan(Pfn), Is.True);
        Assert.That(frames.Record(Pfn)->Hold, Is.Zero);
    }

    [Test]
    public void AReleaseWithoutAHoldIsADefect()
    {
        using FrameTable frames = WithPage();
        Assert.That(() => frames.ReleaseHold(Pfn), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void AnOrphanHeldByTwoThreadsIsFreedExactlyOnce()
    {
        const int Rounds = 2_000;
        using FrameTable frames = WithPage();
        using var ready = new Barrier(2);
        int freed = 0;
        void Work(bool owner)
        {
            for (int i = 0; i < Rounds; i++)
            {
                if (owner) frames.AddHold(Pfn);
                ready.SignalAndWait();
                bool mine = owner ? frames.Orphan(Pfn) : frames.ReleaseHold(Pfn);
                if (mine) Interlocked.Increment(ref freed);
                ready.SignalAndWait();
            }
        }

        var other = new Thread(() => Work(false));
        other.Start();
        Work(true);
        other.Join();
        Assert.That(freed, Is.EqualTo(Rounds));
        Assert.That(frames.Record(Pfn)->Hold, Is.Zero);
    }

    [Test]
    public void ATablesEntriesAreCountedBesideItsLevel()
    {
        using var frames = new FrameTable(16);
        frames.ToTable(Pfn, 1, 3);
        Assert.That(frames.AddTableEntries(Pfn, 512), Is.EqualTo(512));
        Assert.That(frames.AddTableEntries(Pfn, -511), Is.EqualTo(1));
        Assert.That(frames.TableLevel(Pfn), Is.EqualTo(3));
        Assert.That(() => frames.AddTableEntries(Pfn, 512), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void CodeVersionsAreOddWhileSomebodyChangesMarks()
    {
        using FrameTable frames = WithPage();
        Assert.That(frames.RaiseCodeVersion(Pfn), Is.EqualTo(2));
        Assert.That(frames.TryBeginCodeChange(Pfn), Is.True);
        Assert.That(frames.TryBeginCodeChange(Pfn), Is.False, "another is at it");
        Assert.That(frames.RaiseCodeVersion(Pfn), Is.EqualTo(5));
        frames.EndCodeChange(Pfn);
        Assert.That(frames.CodeVersions[Pfn], Is.EqualTo(6));
        Assert.That(frames.CodeVersions[Pfn + 1], Is.Zero);
    }

    private static FrameTable WithPage()
    {
        var frames = new FrameTable(16);
        frames.ToPage(Pfn, 1, 1);
        return frames;
    }
}
