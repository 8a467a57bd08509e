using System.IO;
using System.IO.Pipes;
using System.Threading.Tasks;
using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed unsafe class LibcWriteTests
{
    [Test]
    public void MoreThanAPipeHoldsArrivesWhole()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var reader = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        var received = new MemoryStream();
        var copying = Task.Run(() => reader.CopyTo(received));
        var sent = new byte[300_000];
        for (int i = 0; i < sent.Length; i++) sent[i] = (byte)(i % 251);
        int errno;
        fixed (byte* first = sent) errno = Libc.Write((int)pipe.SafePipeHandle.DangerousGetHandle(), first, 300_000);
        pipe.Dispose();
        copying.Wait();
        Assert.That(errno, Is.Zero);
        Assert.That(received.ToArray(), Is.EqualTo(sent));
    }

    [Test]
    public void NoBytesAreOneCallThatWritesNothing() => Assert.That(Libc.Write(-1, null, 0), Is.EqualTo(9), "EBADF");
}
