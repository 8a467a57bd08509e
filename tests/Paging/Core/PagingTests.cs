using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

public sealed class PagingTests
{
    [TestCase(1, 12)]
    [TestCase(2, 21)]
    [TestCase(3, 30)]
    [TestCase(4, 39)]
    [TestCase(5, 48)]
    public void LevelShiftsFollowTheFormat(int level, int shift) =>
        Assert.That(Paging.LevelShift(level), Is.EqualTo(shift));
}
