using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmspacePiecesTests
{
    [Test]
    public void HolesAndDevicesArePassedOverAndEndsAreCut()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 2 << 20 });
        using var guest = new Guest(arena, new GuestOptions { Consumers = 2 });
        byte* host = stackalloc byte[4096];
        guest.MapMemory(new Gpa(0), 0x4000);
        guest.MapDevice(new Gpa(0x4000), 0x1000, host);
        guest.MapMemory(new Gpa(0x8000), 0x4000);
        var found = new List<(ulong, ulong, ulong)>();
        ulong at = 0x2000;
        while (guest.Space.TryNextPiece(ref at, 0x9000, out MapEntry piece, out _))
        {
            found.Add((piece.Start, piece.End, piece.Page));
        }
        Assert.That(found, Is.EqualTo(new[] { (0x2000UL, 0x4000UL, 2UL), (0x8000UL, 0x9000UL, 0UL) }));
        Assert.That(at, Is.EqualTo(0x9000));
        at = 0x5000;
        Assert.That(guest.Space.TryNextPiece(ref at, 0x8000, out _, out VmObject? memory), Is.False);
        Assert.That(memory, Is.Null);
    }
}
