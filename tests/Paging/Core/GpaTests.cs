using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

public sealed class GpaTests
{
    [Test]
    public void TextNamesTheKindOfAddressInHexadecimal() =>
        Assert.That(new Gpa(0xFFFF_F000).ToString(), Is.EqualTo("GPA 0xfffff000"));

    [Test]
    public void TheDefaultIsAddressZero() => Assert.That(default(Gpa).Value, Is.Zero);
}
