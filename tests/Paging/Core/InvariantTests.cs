using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

public sealed class InvariantTests
{
    [Test]
    public void RequireNamesTheConditionThatFailed()
    {
        int frames = 3;
        InvariantException? failure = Assert.Throws<InvariantException>(() => Invariant.Require(frames < 3));
        Assert.That(failure!.Condition, Is.EqualTo("frames < 3"));
        Assert.That(failure.Message, Is.EqualTo("Broken invariant: frames < 3"));
    }

    [Test]
    public void ATrueConditionPasses() => Assert.That(() => Invariant.Require(condition: true), Throws.Nothing);

    [Test]
    public void AssertIsCheckedInDebugBuildsAlone()
    {
        bool reached = true;
#if DEBUG
        Assert.That(() => Invariant.Assert(!reached), Throws.TypeOf<InvariantException>());
#else
        Assert.That(() => Invariant.Assert(!reached), Throws.Nothing);
#endif
    }

    [Test]
    public void FailCarriesItsText() =>
        Assert.That(() => Invariant.Fail("frame 7 is in two lists"),
            Throws.TypeOf<InvariantException>().With.Message.EqualTo("Broken invariant: frame 7 is in two lists"));
}
