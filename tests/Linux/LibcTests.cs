using System;
using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed unsafe class LibcTests
{
    [Test]
    public void AFailedCallLeavesNothingOnTheHeap()
    {
        long before = 0;
        int errnos = 0;
        for (int round = 0; round < 200; round++)
        {
            if (round == 100) before = GC.GetAllocatedBytesForCurrentThread();
            errnos += Libc.Munmap((void*)1, 1);
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(errnos, Is.EqualTo(200 * Errno.EINVAL));
        Assert.That(allocated, Is.Zero);
    }
}
