using System.Text;
using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class SerialConsoleTests
{
    [Test]
    public void BytesReachTheSinkAtAFlushAndInOrder()
    {
        var sink = new CollectingSink();
        var console = new SerialConsole(sink, new TextMatcher([]));
        Send(console, "hello ");
        Send(console, "world");
        Assert.That(sink.Writes, Is.Zero);
        console.Flush();
        console.Flush();
        Assert.That(sink.Text, Is.EqualTo("hello world"));
        Assert.That(sink.Writes, Is.EqualTo(1));
    }

    [Test]
    public void AFullBufferFlushesItself()
    {
        var sink = new CollectingSink();
        var console = new SerialConsole(sink, new TextMatcher([]));
        string text = new('x', 10_000);
        Send(console, text);
        Assert.That(sink.Text, Has.Length.EqualTo(8192));
        console.Flush();
        Assert.That(sink.Text, Is.EqualTo(text));
    }

    [TestCase(10, 4096, 10)]
    [TestCase(5000, 4096, 4096)]
    [TestCase(5000, 100, 100)]
    public void TheTailIsTheLastBytesOldestFirst(int sent, int room, int kept)
    {
        var console = new SerialConsole(new CollectingSink(), new TextMatcher([]));
        var text = new StringBuilder();
        for (int i = 0; text.Length < sent; i++) text.Append(i).Append(' ');
        text.Length = sent;
        Send(console, text.ToString());
        var tail = new byte[room];
        int length = console.CopyTail(tail);
        Assert.That(length, Is.EqualTo(kept));
        Assert.That(Encoding.ASCII.GetString(tail, 0, length), Is.EqualTo(text.ToString(sent - kept, kept)));
    }

    [Test]
    public void TheAwaitedTextIsFoundAcrossFlushes()
    {
        var console = new SerialConsole(new CollectingSink(), new TextMatcher("Pass:  1"u8));
        Send(console, "\u001b[8;1HPass: ");
        console.Flush();
        Assert.That(console.IsTextFound, Is.False);
        Send(console, " 1");
        Assert.That(console.IsTextFound, Is.True);
    }

    [Test]
    public void ARefusingSinkIsRememberedAndAskedNoMore()
    {
        var sink = new CollectingSink { Refuses = true };
        var console = new SerialConsole(sink, new TextMatcher([]));
        Send(console, "a");
        console.Flush();
        Send(console, "b");
        console.Flush();
        Assert.That(console.HasFailed, Is.True);
        Assert.That(sink.Writes, Is.EqualTo(1));
    }

    private static void Send(SerialConsole console, string text)
    {
        foreach (byte value in Encoding.Latin1.GetBytes(text)) console.Send(value);
    }
}
