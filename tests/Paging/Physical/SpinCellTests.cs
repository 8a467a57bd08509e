using System.Threading;
using NUnit.Framework;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class SpinCellTests
{
    [Test]
    public void TwoThreadsLoseNoIncrement()
    {
        const int Rounds = 20_000;
        using NativeRegion region = NativeRegion.Map(128);
        uint* cell = (uint*)region.Base;
        uint* count = cell + 16;
        void Work()
        {
            var spin = new SpinCell(cell);
            for (int i = 0; i < Rounds; i++)
            {
                spin.Acquire();
                (*count)++;
                spin.Release();
            }
        }

        var other = new Thread(Work);
        other.Start();
        Work();
        other.Join();
        Assert.That(*count, Is.EqualTo(2 * Rounds));
        Assert.That(*cell, Is.Zero);
    }
}
