using System;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine;

public sealed class CpuidModelTests
{
    [Test]
    public void TheVendorAndBrandAreOurOwn()
    {
        CpuidModel.Answer(0, 0, 0, 1, out CpuidResult vendor);
        Assert.That(Text(vendor.Ebx, vendor.Edx, vendor.Ecx), Is.EqualTo("PagodaEngine"));
        var brand = new StringBuilder();
        for (uint leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++)
        {
            CpuidModel.Answer(leaf, 0, 0, 1, out CpuidResult part);
            brand.Append(Text(part.Eax, part.Ebx, part.Ecx, part.Edx));
        }
        Assert.That(brand.ToString().TrimEnd('\0'), Is.EqualTo("Pagoda software vCPU"));
    }

    [TestCase(0u, true, "x87")]
    [TestCase(4u, true, "time-stamp counter")]
    [TestCase(6u, true, "PAE")]
    [TestCase(9u, true, "APIC")]
    [TestCase(28u, false, "many processors")]
    [TestCase(25u, false, "SSE")]
    public void BasicFeaturesAreWhatTheProcessorHas(uint bit, bool isPresent, string name)
    {
        CpuidModel.Answer(1, 0, 0, 1, out CpuidResult result);
        Assert.That((result.Edx >> (int)bit & 1) != 0, Is.EqualTo(isPresent), name);
    }

    [TestCase(11u, false, "SYSCALL")]
    [TestCase(20u, true, "no-execute")]
    [TestCase(29u, true, "long mode")]
    public void ExtendedFeaturesAreWhatTheProcessorHas(uint bit, bool isPresent, string name)
    {
        CpuidModel.Answer(0x8000_0001, 0, 0, 1, out CpuidResult result);
        Assert.That((result.Edx >> (int)bit & 1) != 0, Is.EqualTo(isPresent), name);
    }

    [Test]
    public void AddressesHave46PhysicalAnd48LinearBits()
    {
        CpuidModel.Answer(0x8000_0000, 0, 0, 1, out CpuidResult last);
        Assert.That(last.Eax, Is.EqualTo(0x8000_0008));
        CpuidModel.Answer(0x8000_0008, 0, 0, 1, out CpuidResult sizes);
        Assert.That(sizes.Eax, Is.EqualTo(46 | 48 << 8));
    }

    [TestCase(2u)]
    [TestCase(4u)]
    [TestCase(0x8000_0005u)]
    [TestCase(0x8000_0006u)]
    [TestCase(0x4000_0000u)]
    [TestCase(uint.MaxValue)]
    public void CachesAndUnknownLeavesAreZero(uint leaf)
    {
        CpuidModel.Answer(leaf, 0, 0, 1, out CpuidResult result);
        Assert.That(new[] { result.Eax, result.Ebx, result.Ecx, result.Edx }, Is.All.Zero);
    }

    [Test]
    public void EachProcessorLearnsItsIdentityAndHowManyThereAre()
    {
        CpuidModel.Answer(1, 0, 5, 6, out CpuidResult features);
        Assert.That(features.Ebx >> 24, Is.EqualTo(5));
        Assert.That(features.Ebx >> 16 & 0xFF, Is.EqualTo(6));
        Assert.That(features.Edx >> 28 & 1, Is.EqualTo(1));
        CpuidModel.Answer(0xB, 0, 5, 6, out CpuidResult threads);
        Assert.That((threads.Eax, threads.Ebx, threads.Ecx, threads.Edx), Is.EqualTo((0u, 1u, 0x100u, 5u)));
        CpuidModel.Answer(0xB, 1, 5, 6, out CpuidResult cores);
        Assert.That((cores.Eax, cores.Ebx, cores.Ecx, cores.Edx), Is.EqualTo((3u, 6u, 0x201u, 5u)));
        CpuidModel.Answer(0xB, 2, 5, 6, out CpuidResult none);
        Assert.That((none.Eax, none.Ebx, none.Ecx, none.Edx), Is.EqualTo((0u, 0u, 2u, 5u)));
    }

    [TestCase(1, 0u)]
    [TestCase(2, 1u)]
    [TestCase(4, 2u)]
    [TestCase(5, 3u)]
    [TestCase(64, 6u)]
    public void IdentitiesHaveRoomForAllProcessors(int processors, uint bits)
    {
        CpuidModel.Answer(0xB, 1, 0, processors, out CpuidResult cores);
        Assert.That(cores.Eax, Is.EqualTo(bits));
    }

    private static string Text(params uint[] words)
    {
        var text = new StringBuilder();
        foreach (uint word in words) text.Append(Encoding.ASCII.GetString(BitConverter.GetBytes(word)));
        return text.ToString();
    }
}
