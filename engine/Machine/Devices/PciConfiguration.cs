using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>
/// PCI configuration mechanism 1 of a bus without devices: the address register holds what was written, every device
/// reads as ones.
/// </summary>
/// <remarks>PCI Local Bus Specification 3.0, §3.2.2.3.2. One host thread.</remarks>
[AllocationFree]
public sealed class PciConfiguration
{
    /// <summary>The address register; answers 32-bit accesses only.</summary>
    public const int AddressPort = 0xCF8;

    /// <summary>The first of four data ports.</summary>
    public const int DataPort = 0xCFC;

    private const uint AddressWritable = 0x80FFFFFC;
    private uint _address;

    /// <summary>Reads the address register.</summary>
    public uint ReadAddress() => _address;

    /// <summary>Writes the address register.</summary>
    public void WriteAddress(uint value) => _address = value & AddressWritable;
}
