using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Tests.Model;

/// <summary>Operations on the map.</summary>
public sealed unsafe partial class GuestModelDriver
{
    private static readonly Prot[] s_prots =
        [Prot.All, Prot.All, Prot.ReadWrite, Prot.ReadExecute, Prot.Read, Prot.None];

    private void MapMemory()
    {
        RandomRun(out ulong first, out ulong count);
        Prot prot = _random.Pick<Prot>(s_prots);
        bool fits = Shadow.IsFree(first, count);
        Expect(fits, MapError.Overlap, "MapMemory",
            () => Current.MapMemory(At(first), count * PageBytes, prot));
        if (fits) Shadow.Map(first, count, new ShadowObject(null, isPrivate: true), 0, prot, Prot.All);
    }

    private void MapRom()
    {
        RandomRun(out ulong first, out ulong count);
        byte[] image = new byte[(int)((count - 1) * PageBytes) + _random.Between(1, (int)PageBytes)];
        _random.Fill(image.AsSpan(0, Math.Min(image.Length, 64)));
        image[^1] = (byte)_random.Between(1, 255);
        bool fits = Shadow.IsFree(first, count);
        Expect(fits, MapError.Overlap, "MapRom", () => Current.MapRom(At(first), image));
        if (!fits) return;
        var rom = new ShadowObject(page => PageOf(image, page), isPrivate: true);
        Shadow.Map(first, count, rom, 0, Prot.ReadExecute, Prot.ReadExecute);
    }

    private void MapShared()
    {
        RandomRun(out ulong first, out ulong count);
        ulong index = _random.Below(SharedPages - count + 1);
        Prot prot = _random.Pick<Prot>(s_prots);
        bool fits = Shadow.IsFree(first, count);
        Expect(fits, MapError.Overlap, "MapObject",
            () => Current.MapObject(At(first), _shared, index * PageBytes, count * PageBytes, prot));
        if (fits) Shadow.Map(first, count, _shadowShared, index, prot, Prot.All);
    }

    private void MapDevice()
    {
        RandomRun(out ulong first, out ulong count);
        bool fits = Shadow.IsFree(first, count);
        Expect(fits, MapError.Overlap, "MapDevice",
            () => Current.MapDevice(At(first), count * PageBytes, _deviceMemory.Base));
        if (!fits) return;
        var device = new ShadowObject(null, isPrivate: true) { IsDevice = true };
        Shadow.Map(first, count, device, 0, Prot.ReadWrite, Prot.ReadWrite);
    }

    private void Unmap()
    {
        RandomRun(out ulong first, out ulong count);
        bool any = !Shadow.IsFree(first, count);
        Expect(any, MapError.NotMapped, "Unmap", () => Current.Unmap(At(first), count * PageBytes));
        if (any) Shadow.Unmap(first, count);
    }

    private void Protect()
    {
        RandomRun(out ulong first, out ulong count);
        Prot prot = _random.Pick<Prot>(s_prots);
        bool covers = Shadow.Covers(first, count);
        bool may = covers;
        for (ulong page = first; may && page < first + count; page++)
        {
            may = (prot & ~Shadow.Pages[page].ProtMax) == 0;
        }
        Expect(may, covers ? MapError.Rights : MapError.NotMapped, "Protect",
            () => Current.Protect(At(first), count * PageBytes, prot));
        if (may) Shadow.Protect(first, count, prot);
    }

    private void Remap()
    {
        RandomRun(out ulong first, out ulong count);
        ulong to = RandomPage();
        bool covers = Shadow.Covers(first, count);
        bool may = covers && Shadow.IsFree(to, count);
        Expect(may, covers ? MapError.Overlap : MapError.NotMapped, "Remap",
            () => Current.Remap(At(first), count * PageBytes, At(to)));
        if (may) Shadow.Move(first, count, to);
    }

    /// <summary>Ends a guest under its holds, or the shared object under its mappings, and makes another.</summary>
    private void Restart()
    {
        if (_random.OneIn(3))
        {
            _shared.Dispose();
            _shared = new VmObject(_arena, SharedPages * PageBytes);
            _shadowShared = new ShadowObject(null, isPrivate: false);
            Count("RestartObject");
            return;
        }
        _vcpus[_guest].Dispose();
        _guests[_guest].Dispose();
        if (Support.ArenaBalance.Of(_arena) == 0)
        {
            // Held frames alone can leave no frame for a top table.
            foreach (ModelHold hold in _holds) _guests[_guest].Release(hold.Spans);
            _holds.Clear();
        }
        MakeGuest(_guest);
        Count("RestartGuest");
    }

    private void Expect(bool success, MapError error, string name, Action operation)
    {
        if (success)
        {
            operation();
            Count(name);
            return;
        }
        Assert.That(operation, Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(error),
            name + "; " + Where);
    }

    private static byte[] PageOf(byte[] image, ulong page)
    {
        byte[] bytes = new byte[PageBytes];
        int from = (int)(page * PageBytes);
        int count = Math.Min(image.Length - from, bytes.Length);
        if (count > 0) image.AsSpan(from, count).CopyTo(bytes);
        return bytes;
    }
}
