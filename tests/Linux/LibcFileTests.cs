using System;
using NUnit.Framework;
using Pagoda.Linux;

namespace Pagoda.Tests.Linux;

public sealed unsafe class LibcFileTests
{
    private const int BadDescriptor = 9;        // EBADF

    [Test]
    public void WhatIsWrittenAtAnOffsetIsReadThere()
    {
        int fd = Make(8192);
        byte* sent = stackalloc byte[300];
        byte* received = stackalloc byte[300];
        for (int i = 0; i < 300; i++) sent[i] = (byte)(i * 7);
        Assert.That(Libc.Pwrite(fd, sent, 300, 4000, out nuint written), Is.Zero);
        Assert.That(written, Is.EqualTo((nuint)300));
        Assert.That(Libc.Pread(fd, received, 300, 4000, out nuint read), Is.Zero);
        Assert.That(read, Is.EqualTo((nuint)300));
        Assert.That(new ReadOnlySpan<byte>(received, 300).SequenceEqual(new ReadOnlySpan<byte>(sent, 300)), Is.True);
        Assert.That(Libc.Close(fd), Is.Zero);
    }

    [Test]
    public void AReadPastTheEndStopsThereWithoutAnError()
    {
        int fd = Make(100);
        byte* buffer = stackalloc byte[64];
        Assert.That(Libc.Pread(fd, buffer, 64, 90, out nuint done), Is.Zero);
        Assert.That(done, Is.EqualTo((nuint)10));
        Assert.That(Libc.Close(fd), Is.Zero);
    }

    [Test]
    public void ABadDescriptorIsAnErrno()
    {
        byte value = 0;
        Assert.That(Libc.Pread(-1, &value, 1, 0, out _), Is.EqualTo(BadDescriptor));
        Assert.That(Libc.Pwrite(-1, &value, 1, 0, out _), Is.EqualTo(BadDescriptor));
        Assert.That(Libc.Close(-1), Is.EqualTo(BadDescriptor));
    }

    private static int Make(long length)
    {
        fixed (byte* name = "libc-test\0"u8)
        {
            Assert.That(Libc.MemfdCreate(name, length, out int fd), Is.Zero);
            return fd;
        }
    }
}
