using System;
using System.Text;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Machine.Dump;

namespace Pagoda.Tests.Machine.Dump;

public sealed class CoreNoteTests
{
    private static readonly CoreRoot[] s_roots =
    [
        new CoreRoot("a", RootKind.Ept, 0xFFFF_F000_105E, 4, 52, RootAccessedDirty.Emulated),
        new CoreRoot("\"ü\n", RootKind.Npt, 0, 5, 32, RootAccessedDirty.Hardware),
        new CoreRoot("", RootKind.X86, ulong.MaxValue, 4, 46, RootAccessedDirty.Hardware),
    ];

    [Test]
    public void RootsAreReadAsTheyWereWritten()
    {
        Assert.That(CoreNote.TryRead(CoreNote.Write(s_roots).Span, out CoreRoot[] roots), Is.True);
        Assert.That(roots, Is.EqualTo(s_roots));
    }

    [Test]
    public void TheWordsAreTheCommandLines()
    {
        string text = Encoding.UTF8.GetString(CoreNote.Write(s_roots.AsSpan(0, 1)).Span);

        Assert.That(text, Is.EqualTo("{\"version\":1,\"roots\":[{\"guest\":\"a\",\"kind\":\"ept\",\"register\":"
            + "\"0xfffff000105e\",\"levels\":4,\"physBits\":52,\"accessedDirty\":\"emulated\"}]}"));
    }

    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"version\":1}")]
    [TestCase("{\"version\":\"1\",\"roots\":[]}")]
    [TestCase("{\"version\":2,\"roots\":[]}")]
    [TestCase("{\"version\":1,\"roots\":{}}")]
    [TestCase("{\"version\":1,\"roots\":[7]}")]
    [TestCase("{\"version\":1,\"roots\":[{\"guest\":\"\",\"kind\":\"ept\"}]}")]
    public void OtherJsonIsRefused(string text) =>
        Assert.That(CoreNote.TryRead(Encoding.UTF8.GetBytes(text), out _), Is.False);

    [TestCase("")]
    [TestCase("{oops")]
    public void WhatIsNotJsonThrows(string text) =>
        Assert.That(() => CoreNote.TryRead(Encoding.UTF8.GetBytes(text), out _), Throws.InstanceOf<JsonException>());

    [Test]
    public void WhatIsNotTextIsRefused()
    {
        byte[] json = CoreNote.Write(s_roots.AsSpan(0, 1)).ToArray();
        json[json.AsSpan().IndexOf((byte)'a')] = 0xC7;
        json[^20] = 0xC7;

        Assert.That(CoreNote.TryRead(json, out _), Is.False);
    }
}
