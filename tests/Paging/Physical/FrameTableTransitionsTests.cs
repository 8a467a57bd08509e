using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameTableTransitionsTests
{
    private const uint Pfn = 7;

    /// <summary>The table as the source draws it: rows from, columns to, in the order of the states.</summary>
    private static readonly string[] s_legal =
    [
        "xxx-x-",
        "x-xxx-",
        "x----x",
        "x----x",
        "x----x",
        "x-----",
    ];

    [Test]
    public void ExactlyTheLegalChangesSucceed(
        [Values] FrameState from, [Values] FrameState to)
    {
        using var frames = new FrameTable(16);
        frames.Record(Pfn)->Word = (uint)from;
        bool legal = s_legal[(int)from][(int)to] == 'x';
        Assert.That(FrameTable.IsLegal(from, to), Is.EqualTo(legal));
        if (legal)
        {
            Move(frames, to);
            Assert.That(frames.StateOf(Pfn), Is.EqualTo(to));
        }
        else
        {
            Assert.That(() => Move(frames, to), Throws.TypeOf<InvariantException>());
            Assert.That(frames.StateOf(Pfn), Is.EqualTo(from));
        }
    }

    [Test]
    public void EachUseRecordsItsOwnerAndIndex()
    {
        using var frames = new FrameTable(16);
        frames.ToPage(1, 0xABC, 0x1234_5678);
        Assert.That(frames.Record(1)->Owner, Is.EqualTo(0xABC));
        Assert.That(frames.Record(1)->Index, Is.EqualTo(0x1234_5678));
        frames.ToTable(2, 9, 4);
        Assert.That(frames.Record(2)->Owner, Is.EqualTo(9));
        Assert.That(frames.TableLevel(2), Is.EqualTo(4));
        Assert.That(frames.TableEntries(2), Is.Zero);
        frames.ToZeroed(3);
        frames.ToIndex(3, 5, 6);
        Assert.That(frames.Record(3)->Owner, Is.EqualTo(5));
        Assert.That(frames.Record(3)->Index, Is.EqualTo(6));
    }

    [Test]
    public void LimboKeepsTheFlagsAndFreeClearsThem()
    {
        using var frames = new FrameTable(16);
        frames.ToPage(Pfn, 1, 1);
        frames.SetDirty(Pfn);
        frames.ToLimbo(Pfn, 3);
        Assert.That(frames.IsDirty(Pfn), Is.True);
        Assert.That(frames.Record(Pfn)->Owner, Is.EqualTo(3));
        frames.ToFree(Pfn);
        Assert.That(frames.Record(Pfn)->Word, Is.Zero);
    }

    [Test]
    public void ReuseOfAFrameWithCodeRaisesItsVersion()
    {
        using var frames = new FrameTable(16);
        frames.ToPage(Pfn, 1, 1);
        frames.SetCode(Pfn);
        frames.ToFree(Pfn);
        Assert.That(frames.CodeVersions[Pfn], Is.EqualTo(2));
        Assert.That(frames.HasCode(Pfn), Is.False);
        frames.ToPage(Pfn, 1, 1);
        frames.ToFree(Pfn);
        Assert.That(frames.CodeVersions[Pfn], Is.EqualTo(2));
    }

    [Test]
    public void AHeldFrameCannotBecomeFree()
    {
        using var frames = new FrameTable(16);
        frames.ToPage(Pfn, 1, 1);
        frames.AddHold(Pfn);
        Assert.That(() => frames.ToFree(Pfn), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void AWiredFrameCannotLeaveItsUse()
    {
        using var frames = new FrameTable(16);
        frames.ToPage(Pfn, 1, 1);
        frames.AddWire(Pfn);
        Assert.That(() => frames.ToLimbo(Pfn, 0), Throws.TypeOf<InvariantException>());
        Assert.That(() => frames.ToFree(Pfn), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void AFrameOnAFreeListCannotBeUsed()
    {
        using Arena arena = TestArena.Of(2);
        Assert.That(() => arena.Frames.ToPage(1, 1, 1), Throws.TypeOf<InvariantException>());
        Assert.That(() => arena.Allocator.Give(1, 0), Throws.TypeOf<InvariantException>());
    }

    private static void Move(FrameTable frames, FrameState to)
    {
        switch (to)
        {
            case FrameState.Free:
                frames.ToFree(Pfn);
                break;
            case FrameState.Zeroed:
                frames.ToZeroed(Pfn);
                break;
            case FrameState.Table:
                frames.ToTable(Pfn, 1, 1);
                break;
            case FrameState.Index:
                frames.ToIndex(Pfn, 1, 1);
                break;
            case FrameState.Page:
                frames.ToPage(Pfn, 1, 1);
                break;
            case FrameState.Limbo:
                frames.ToLimbo(Pfn, 0);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(to));
        }
    }
}
