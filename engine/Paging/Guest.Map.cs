using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda;

/// <summary>Giving a guest memory, ROM and devices. Nothing becomes resident before it is touched.</summary>
public sealed unsafe partial class Guest
{
    /// <summary>Maps fresh memory: zero, private to this guest.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="prot">The rights.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapMemory(Gpa gpa, ulong length, Prot prot = Prot.All) =>
        MapNew("Memory", gpa, length, null, prot, Prot.All);

    /// <summary>Maps a read-only image: its bytes, then zeros to the end of the last page.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="image">The bytes, at least one; they are copied.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapRom(Gpa gpa, ReadOnlySpan<byte> image)
    {
        ulong length = ((ulong)image.Length + Paging.PageOffsetMask) & ~(ulong)Paging.PageOffsetMask;
        MapException.RequireRange("A ROM", gpa.Value, length, AddressBits);
        MapNew("A ROM", gpa, length, new MemoryImagePager(image), Prot.ReadExecute, Prot.ReadExecute);
    }

    /// <summary>Maps read-only memory whose content a pager brings.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="pager">Asked once a page, at its first touch. It stays the caller's.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapRom(Gpa gpa, ulong length, IPager pager)
    {
        ArgumentNullException.ThrowIfNull(pager);
        MapException.RequireRange("A ROM", gpa.Value, length, AddressBits);
        using var rom = new VmObject(Arena, length, pager);
        Space.MapObject(gpa.Value, rom, 0, length, Prot.ReadExecute, Prot.ReadExecute);
    }

    /// <summary>
    /// Makes fresh memory that may be mapped at several places; it is swapped where the guest's other memory is.
    /// </summary>
    /// <param name="length">Bytes, whole pages.</param>
    /// <returns>The object, which lives on while it is mapped. It is the caller's to dispose.</returns>
    /// <exception cref="MapException">The length is wrong.</exception>
    public VmObject MakeMemory(ulong length)
    {
        MapException.RequireRange("Memory", 0, length, AddressBits);
        return new VmObject(Arena, length, MakePager(length), ownsPager: true, isPrivate: false);
    }

    /// <summary>Shows a run of an object, which other places and other guests may show too.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="memory">The object; it lives on while it is mapped, also when the caller disposes it.</param>
    /// <param name="offset">Bytes from the object's start, page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="prot">The rights.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapObject(Gpa gpa, VmObject memory, ulong offset, ulong length, Prot prot = Prot.All) =>
        Space.MapObject(gpa.Value, memory, offset, length, prot, Prot.All);

    /// <summary>
    /// Maps a device range that a model serves: accesses translate to HPAs of the arena's device space.
    /// </summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="device">The model.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapDevice(Gpa gpa, ulong length, IDeviceMemory device)
    {
        ArgumentNullException.ThrowIfNull(device);
        MapException.RequireRange("A device", gpa.Value, length, AddressBits);
        MapNew("A device", gpa, length, new DevicePager(Arena, length, device), Prot.ReadWrite, Prot.ReadWrite);
    }

    /// <summary>Maps a device range that is memory of the host.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="host">The memory, which outlives the mapping.</param>
    /// <exception cref="MapException">The range cannot be mapped; nothing was changed.</exception>
    public void MapDevice(Gpa gpa, ulong length, byte* host)
    {
        MapException.RequireRange("A device", gpa.Value, length, AddressBits);
        MapNew("A device", gpa, length, new DevicePager(Arena, length, host), Prot.ReadWrite, Prot.ReadWrite);
    }

    /// <summary>Maps a guest's memory as machines have it: below 3 GiB, and what does not fit from 4 GiB on.</summary>
    /// <param name="memoryBytes">Whole pages.</param>
    /// <returns>What lies where.</returns>
    /// <exception cref="MapException">The ranges cannot be mapped; nothing was changed.</exception>
    public GuestLayout MapLowAndHigh(ulong memoryBytes)
    {
        var layout = GuestLayout.Of(memoryBytes);
        MapException.RequireRange("Guest memory", 0, layout.LowBytes, AddressBits);
        if (layout.HighBytes == 0)
        {
            MapMemory(new Gpa(0), layout.LowBytes);
            return layout;
        }
        MapException.RequireRange("Guest memory", GuestLayout.HighStart, layout.HighBytes, AddressBits);
        // One object whose offsets are the addresses. Its part in the hole is never touched and costs nothing.
        using var memory = new VmObject(Arena, GuestLayout.HighStart + layout.HighBytes,
            MakePager(GuestLayout.HighStart + layout.HighBytes), ownsPager: true, isPrivate: true);
        Space.MapObject(0, memory, 0, layout.LowBytes, Prot.All, Prot.All);
        bool done = false;
        try
        {
            Space.MapObject(GuestLayout.HighStart, memory, GuestLayout.HighStart, layout.HighBytes, Prot.All, Prot.All);
            done = true;
        }
        finally
        {
            if (!done) Space.Unmap(0, layout.LowBytes);
        }
        return layout;
    }

    private void MapNew(string what, Gpa gpa, ulong length, IPager? pager, Prot prot, Prot protMax)
    {
        MapException.RequireRange(what, gpa.Value, length, AddressBits);
        // The map takes its own reference; without one the object, its pager and its device range go at the end here.
        using var memory = new VmObject(Arena, length, pager ?? MakePager(length), ownsPager: true, isPrivate: true);
        Space.MapObject(gpa.Value, memory, 0, length, prot, protMax);
    }

    /// <summary>The pager of fresh memory.</summary>
    private IPager MakePager(ulong length) =>
        Options.Swap is null ? ZeroFillPager.Instance : new SwapPager(Options.Swap, length >> Paging.PageShift);
}
