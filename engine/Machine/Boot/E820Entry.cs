namespace Pagoda.Machine.Boot;

/// <summary>What an E820 entry says of its range (ACPI 6.5, table 15.8).</summary>
public enum E820Type
{
    /// <summary>Memory that the guest may use.</summary>
    Memory = 1,

    /// <summary>Not for the guest's use.</summary>
    Reserved = 2,
}

/// <summary>One range of the memory map that a guest is told.</summary>
/// <param name="address">First byte.</param>
/// <param name="length">Bytes.</param>
/// <param name="type">What it is.</param>
public readonly struct E820Entry(ulong address, ulong length, E820Type type)
{
    /// <summary>Bytes of an entry in the zero page: address, length, type, without padding.</summary>
    public const int EncodedBytes = 20;

    /// <summary>First guest-physical byte.</summary>
    public readonly ulong Address = address;

    /// <summary>Bytes.</summary>
    public readonly ulong Length = length;

    /// <summary>What the range is.</summary>
    public readonly E820Type Type = type;
}
