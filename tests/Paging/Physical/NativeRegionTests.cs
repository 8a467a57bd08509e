using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Linux;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class NativeRegionTests
{
    [Test]
    public void BookkeepingMemoryIsZeroAndWritable()
    {
        using NativeRegion region = NativeRegion.Map(5000);
        Assert.That(region.Length, Is.EqualTo((nuint)5000));
        Assert.That(new ReadOnlySpan<byte>(region.Base, 5000).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        region.Base[4999] = 1;
        Assert.That(region.Base[4999], Is.EqualTo(1));
    }

    [Test]
    public void AnEmptyRegionIsRefused() =>
        Assert.That(() => NativeRegion.Map(0), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void ARegionThatFitsNowhereIsRefusedWithWhatToDo() =>
        Assert.That(() => NativeRegion.Map(unchecked((nuint)(1UL << 62))),
            Throws.TypeOf<InsufficientMemoryException>().With.Message.Contains("ulimit -v"));

    [TestCase(4096UL, 1UL << 21)]
    [TestCase(3UL << 21, 1UL << 21)]
    [TestCase(12288UL, 1UL << 30)]
    public void AlignedRegionsAreAlignedAndUsableToTheLastByte(ulong length, ulong alignment)
    {
        Assert.That(NativeRegion.TryMapAligned((nuint)length, (nuint)alignment, out NativeRegion? region), Is.Zero);
        using (region)
        {
            Assert.That((ulong)region!.Base & (alignment - 1), Is.Zero);
            region.Base[length - 1] = 1;
            region.Base[0] = 1;
        }
    }

    [Test]
    public void AFailureToAlignReportsTheErrno() => Assert.That(
        NativeRegion.TryMapAligned(unchecked((nuint)(1UL << 62)), (nuint)Paging.WindowBytes, out _),
        Is.EqualTo(Errno.ENOMEM));
}
