using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Physical;

public sealed class ChunkBitmapTests
{
    [TestCase(1U, 1)]
    [TestCase((uint)Paging.WindowPages, 1)]
    [TestCase(Paging.WindowPages + 1U, 2)]
    [TestCase(64U * Paging.WindowPages + 1U, 65)]
    public void AnIncompleteChunkCounts(uint frames, int chunks)
    {
        using var bitmap = new ChunkBitmap(frames);
        Assert.That(bitmap.ChunkCount, Is.EqualTo(chunks));
        Assert.That(bitmap.Count(), Is.Zero);
        bitmap.SetAll();
        Assert.That(bitmap.Count(), Is.EqualTo(chunks));
    }

    [Test]
    public void CountsEveryAlignedRunAsAnArrayDoes()
    {
        const int Chunks = 1024;
        var random = new SeededGenerator(0xC0FFEE);
        var model = new bool[Chunks];
        using var bitmap = new ChunkBitmap(Chunks * Paging.WindowPages);
        for (int step = 0; step < 4000; step++)
        {
            int chunk = random.Below(Chunks);
            model[chunk] = !random.OneIn(3);
            if (model[chunk]) bitmap.Set(chunk);
            else bitmap.Clear(chunk);
            int run = 1 << random.Below(10);
            int first = random.Below(Chunks / run) * run;
            int expected = 0;
            for (int i = first; i < first + run; i++) expected += model[i] ? 1 : 0;
            Assert.That(bitmap.Count(first, run), Is.EqualTo(expected), random.ToString());
            Assert.That(bitmap.IsSet(first), Is.EqualTo(model[first]), random.ToString());
        }
    }
}
