using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

public sealed class HpaTests
{
    [Test]
    public void TextNamesTheKindOfAddressInHexadecimal() =>
        Assert.That(new Hpa(0x2000_0000_0000).ToString(), Is.EqualTo("HPA 0x200000000000"));
}
