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
        CpuidModel.Answer(0, out CpuidResult vendor);
        Assert.That(Text(vendor.Ebx, vendor.Edx, vendor.Ecx), Is.EqualTo("PagodaEngine"));
        var brand = new StringBuilder();
        for (uint leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++)
        {
            CpuidModel.Answer(leaf, out CpuidResult part);
            brand.Append(Text(part.Eax, part.Ebx, part.Ecx, part.Edx));
        }
        Assert.That(brand.ToString().TrimEnd('\0'), Is.EqualTo("Pagoda software vCPU"));
    }

    [TestCase(0u, true, "x87")]
    [TestCase(4u, true, "time-stamp counter")]
    [TestCase(6u, true, "PAE")]
    [TestCase(9u, false, "APIC")]
    [TestCase(25u, false, "SSE")]
    public void BasicFeaturesAreWhatTheProcessorHas(uint bit, bool isPresent, string name)
    {
        CpuidModel.Answer(1, out CpuidResult result);
        Assert.That((result.Edx >> (int)bit & 1) != 0, Is.EqualTo(isPresent), name);
    }

    [TestCase(11u, false, "SYSCALL")]
    [TestCase(20u, true, "no-execute")]
    [TestCase(29u, true, "long mode")]
    public void ExtendedFeaturesAreWhatTheProcessorHas(uint bit, bool isPresent, string name)
    {
        CpuidModel.Answer(0x8000_0001, out CpuidResult result);
        Assert.That((result.Edx >> (int)bit & 1) != 0, Is.EqualTo(isPresent), name);
    }

    [Test]
    public void AddressesHave46PhysicalAnd48LinearBits()
    {
        CpuidModel.Answer(0x8000_0000, out CpuidResult last);
        Assert.That(last.Eax, Is.EqualTo(0x8000_0008));
        CpuidModel.Answer(0x8000_0008, out CpuidResult sizes);
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
        CpuidModel.Answer(leaf, out CpuidResult result);
        Assert.That(new[] { result.Eax, result.Ebx, result.Ecx, result.Edx }, Is.All.Zero);
    }

    private static string Text(params uint[] words)
    {
        var text = new StringBuilder();
        foreach (uint word in words) text.Append(Encoding.ASCII.GetString(BitConverter.GetBytes(word)));
        return text.ToString();
    }
}
