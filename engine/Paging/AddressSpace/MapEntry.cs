using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>
/// One run of guest-physical addresses and what stands behind it. 32 bytes: two entries a cache line.
/// </summary>
[AllocationFree]
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
public struct MapEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Bytes = 32;

    /// <summary>The first byte, page aligned.</summary>
    [FieldOffset(0)] public ulong Start;

    /// <summary>The first byte behind it, page aligned.</summary>
    [FieldOffset(8)] public ulong End;

    /// <summary>The object's page at <see cref="Start"/>; of a device, the HPA at Start in pages.</summary>
    [FieldOffset(16)] public ulong Page;

    /// <summary>The object, as its slot in the map's object table.</summary>
    [FieldOffset(24)] public int Object;

    /// <summary>The rights in force.</summary>
    [FieldOffset(28)] public Prot Prot;

    /// <summary>The rights that a protection change may give at most.</summary>
    [FieldOffset(29)] public Prot ProtMax;

    /// <summary>Memory or device.</summary>
    [FieldOffset(30)] public MapKind Kind;

    /// <summary>Wirings in force: while there is one, the run stays, in memory and where it is.</summary>
    [FieldOffset(31)] public byte Wires;

    /// <summary>Bytes.</summary>
    public readonly ulong Length => End - Start;

    /// <summary>The object's page, or the device's HPA in pages, at an address inside.</summary>
    public readonly ulong PageAt(ulong gpa) => Page + ((gpa - Start) >> Paging.PageShift);

    /// <summary>The HPA of an address inside a device entry.</summary>
    public readonly ulong DeviceHpa(ulong gpa) => (Page << Paging.PageShift) + (gpa - Start);

    /// <summary>Does <paramref name="next"/> continue this entry, so that the two can be one?</summary>
    public readonly bool IsContinuedBy(in MapEntry next) =>
        End == next.Start && Object == next.Object && Kind == next.Kind && Prot == next.Prot && ProtMax == next.ProtMax
        && Wires == next.Wires && Page + (Length >> Paging.PageShift) == next.Page;
}
