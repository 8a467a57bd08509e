using System.Threading;
using NUnit.Framework;
using Pagoda.Linux;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Linux;

public sealed unsafe class LibcFutexTests
{
    private const uint Second = 999_999_999;

    [Test]
    public void ACellThatHoldsAnotherValueIsNotSleptOn()
    {
        uint cell = 7;
        Assert.That(Libc.FutexWait(&cell, 6, Second), Is.EqualTo(Errno.EAGAIN));
    }

    [Test]
    public void ASleepEndsByItsBound()
    {
        uint cell = 7;
        Assert.That(Libc.FutexWait(&cell, 7, 1000), Is.EqualTo(Errno.ETIMEDOUT));
    }

    [Test]
    public void EverySleeperWakes()
    {
        using var region = new GuardedRegion(sizeof(uint));
        uint* cell = (uint*)region.Base;
        Volatile.Write(ref *cell, 1);
        var sleepers = new Thread[3];
        for (int i = 0; i < sleepers.Length; i++)
        {
            sleepers[i] = new Thread(() =>
            {
                while (Volatile.Read(ref *cell) == 1) Libc.FutexWait(cell, 1, Second);
            });
            sleepers[i].Start();
        }
        Volatile.Write(ref *cell, 2);
        Libc.FutexWakeAll(cell);
        foreach (Thread sleeper in sleepers) sleeper.Join();
        Assert.That(*cell, Is.EqualTo(2));
    }
}
