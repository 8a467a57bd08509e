using NUnit.Framework;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed class CompactWriterTests
{
    [Test]
    public void TheBytesAreThoseOfTheDescription()
    {
        TraceRecord[] records =
        [
            new(0x10, 4, TraceKind.Fetch),          // size 4, a byte: 10h
            new(0x14, 4, TraceKind.Fetch),          // where the last one ended: nothing
            new(0x14, 16, TraceKind.Store),         // data has a place of its own: 14h
            new(0x1024, 17, TraceKind.Load),        // a size without a code, a u16: 1000h
            new(0x101035, 8, TraceKind.Modify),     // 100000h as a zigzag number: 200000h
        ];
        Assert.That(TraceTexts.Compact(records), Is.EqualTo(new byte[]
        {
            (byte)'P', (byte)'A', (byte)'G', (byte)'O', (byte)'D', (byte)'A', (byte)'T', (byte)'R', 1, 0, 0, 0, 0, 0, 0,
            0, 0x44, 0x10, 0x40, 0xD6, 0x14, 0x09, 17, 0, 0x00, 0x10, 0x8F, 0x80, 0x80, 0x80, 0x01,
        }));
    }

    [Test]
    public void NoAccessesAreTheHeaderAlone() => Assert.That(TraceTexts.Compact([]), Has.Length.EqualTo(16));
}
