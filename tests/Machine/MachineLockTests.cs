using System.Threading;
using NUnit.Framework;
using Pagoda.Machine;

namespace Pagoda.Tests.Machine;

public sealed class MachineLockTests
{
    [Test]
    public void OnlyOneHoldsItAtATime()
    {
        const int Rounds = 20_000;
        var machineLock = new MachineLock();
        int count = 0;
        var other = new Thread(() => Work());
        other.Start();
        Work();
        other.Join();
        Assert.That(count, Is.EqualTo(2 * Rounds));

        void Work()
        {
            for (int i = 0; i < Rounds; i++)
            {
                machineLock.Acquire();
                count++;
                machineLock.Release();
            }
        }
    }

    [Test]
    public void TryingDoesNotWait()
    {
        var machineLock = new MachineLock();
        Assert.That(machineLock.TryAcquire(), Is.True);
        Assert.That(machineLock.TryAcquire(), Is.False);
        machineLock.Release();
        Assert.That(machineLock.TryAcquire(), Is.True);
    }
}
