using NUnit.Framework;
using Pagoda.Machine.Apic;

namespace Pagoda.Tests.Machine.Apic;

public sealed class VectorSetTests
{
    [Test]
    public void TheHighestVectorIsFoundAndWordsShowTheirThirtyTwo()
    {
        var set = default(VectorSet);
        Assert.That(set.Highest, Is.EqualTo(-1));
        set.Add(0x20);
        set.Add(0xFF);
        set.Add(0x3F);
        Assert.That(set.Highest, Is.EqualTo(0xFF));
        Assert.That(set.Word(1), Is.EqualTo(0x8000_0001));
        Assert.That(set.Word(7), Is.EqualTo(0x8000_0000));
        set.Remove(0xFF);
        Assert.That(set.Highest, Is.EqualTo(0x3F));
        set.Clear();
        Assert.That(set.Highest, Is.EqualTo(-1));
    }
}
