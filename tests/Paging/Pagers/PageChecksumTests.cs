using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Pagers;

namespace Pagoda.Tests.Pagers;

/// <summary>The scalar form is the oracle of the vector forms; a flipped bit never goes unseen.</summary>
public sealed unsafe class PageChecksumTests
{
    private const int Bytes = (int)Paging.PageBytes;
    private byte* _page;

    [SetUp]
    public void Allocate() => _page = (byte*)NativeMemory.AlignedAlloc(Bytes, 4096);

    [TearDown]
    public void Free() => NativeMemory.AlignedFree(_page);

    [Test]
    public void TheVectorFormsAgreeWithTheScalarOne()
    {
        var random = new System.Random(1);
        for (int round = 0; round < 200; round++)
        {
            random.NextBytes(new System.Span<byte>(_page, Bytes));
            if (round % 4 == 0) new System.Span<byte>(_page, random.Next(Bytes)).Clear();
            ulong seed = (ulong)random.NextInt64();
            ulong expected = PageChecksum.ComputeScalar(_page, seed);
            Assert.That(PageChecksum.Compute(_page, seed), Is.EqualTo(expected));
            if (Avx2.IsSupported) Assert.That(PageChecksum.Compute256(_page, seed), Is.EqualTo(expected), "AVX2");
            if (Avx512F.IsSupported) Assert.That(PageChecksum.Compute512(_page, seed), Is.EqualTo(expected), "AVX-512");
        }
    }

    [Test]
    public void EveryFlippedBitChangesIt([Values(0, 1, 255)] byte fill)
    {
        new System.Span<byte>(_page, Bytes).Fill(fill);
        ulong clean = PageChecksum.Compute(_page, seed: 7);
        for (int bit = 0; bit < Bytes * 8; bit++)
        {
            _page[bit >> 3] ^= (byte)(1 << (bit & 7));
            Assert.That(PageChecksum.Compute(_page, seed: 7), Is.Not.EqualTo(clean), $"bit {bit}");
            _page[bit >> 3] ^= (byte)(1 << (bit & 7));
        }
    }

    [Test]
    public void SwappedWordsAndAnotherSeedChangeIt()
    {
        for (int i = 0; i < Bytes; i++) _page[i] = (byte)(i * 31 + (i >> 8));
        ulong* words = (ulong*)_page;
        ulong clean = PageChecksum.Compute(_page, seed: 1);
        Assert.That(PageChecksum.Compute(_page, seed: 2), Is.Not.EqualTo(clean));
        for (int i = 0; i + 8 < Bytes / 8; i++)
        {
            if (words[i] == words[i + 8]) continue;
            (words[i], words[i + 8]) = (words[i + 8], words[i]);
            Assert.That(PageChecksum.Compute(_page, seed: 1), Is.Not.EqualTo(clean), $"words {i} and {i + 8}");
            (words[i], words[i + 8]) = (words[i + 8], words[i]);
        }
    }
}
