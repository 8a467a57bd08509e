using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed class LibcClockTests
{
    [Test]
    public void AThreadThatWorksUsesProcessorTime()
    {
        Assert.That(Libc.ThreadTime(out long before), Is.Zero);
        long after = before;
        // Ends when the clock has moved on, which it does for a thread that asks.
        while (after == before) Assert.That(Libc.ThreadTime(out after), Is.Zero);
        Assert.That(after, Is.GreaterThan(before));
        Assert.That(before, Is.GreaterThanOrEqualTo(0));
    }
}
