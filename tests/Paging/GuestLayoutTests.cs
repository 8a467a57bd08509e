using NUnit.Framework;

namespace Pagoda.Tests;

public sealed class GuestLayoutTests
{
    [TestCase(0x1000UL, 0x1000UL, 0UL)]
    [TestCase(3UL << 30, 3UL << 30, 0UL)]
    [TestCase((3UL << 30) + 0x1000, 3UL << 30, 0x1000UL)]
    [TestCase(64UL << 30, 3UL << 30, 61UL << 30)]
    public void WhatDoesNotFitBelowThreeGibibytesIsHigh(ulong memory, ulong low, ulong high) =>
        Assert.That(GuestLayout.Of(memory), Is.EqualTo(new GuestLayout(low, high)));
}
