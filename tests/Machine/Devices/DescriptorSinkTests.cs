using System.IO;
using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class DescriptorSinkTests
{
    [Test]
    public void BytesReachTheDescriptorAndAllocateNothing()
    {
        string path = Path.GetTempFileName();
        using (FileStream file = File.Open(path, FileMode.Open))
        {
            var sink = new DescriptorSink((int)file.SafeFileHandle.DangerousGetHandle());
            Assert.That(sink.Write("warm "u8), Is.True);
            long before = System.GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++) sink.Write("x"u8);
            long allocated = System.GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.That(allocated, Is.Zero);
        }
        Assert.That(File.ReadAllText(path), Is.EqualTo("warm " + new string('x', 100)));
        File.Delete(path);
    }

    [Test]
    public void ARefusalIsReportedWithItsErrno()
    {
        var sink = new DescriptorSink(-1);
        Assert.That(sink.Write("x"u8), Is.False);
        Assert.That(sink.Failure, Is.EqualTo(9), "EBADF");
    }
}
