using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>A run of HPAs above the arena and what stands behind it: a callback, or memory of the host.</summary>
public readonly unsafe struct DeviceRange
{
    private readonly IDeviceMemory? _device;
    private readonly byte* _hostPointer;

    internal DeviceRange(ulong hpa, ulong length, IDeviceMemory? device, byte* hostPointer)
    {
        Hpa = hpa;
        Length = length;
        _device = device;
        _hostPointer = hostPointer;
    }

    /// <summary>The first HPA.</summary>
    public ulong Hpa { get; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; }

    /// <summary>What answers accesses, or null when host memory does.</summary>
    public IDeviceMemory? Device => _device;

    /// <summary>The host memory behind the range, or null when a callback answers.</summary>
    public byte* HostPointer => _hostPointer;

    /// <summary>The first HPA behind the range.</summary>
    [AllocationFree]
    public ulong End => Hpa + Length;

    /// <summary>Reads 1, 2, 4 or 8 bytes at an HPA; the access ends inside the range.</summary>
    [AllocationFree]
    public ulong Read(ulong hpa, int size)
    {
        ulong offset = OffsetOf(hpa, size);
        if (_device is not null) return _device.Read(offset, size);
        byte* at = _hostPointer + offset;
        switch (size)
        {
            case sizeof(byte): return Shared.Load(at);
            case sizeof(ushort): return Shared.Load((ushort*)at);
            case sizeof(uint): return Shared.Load((uint*)at);
            default:
                Invariant.Require(size == sizeof(ulong));
                return Shared.Load((ulong*)at);
        }
    }

    /// <summary>Writes 1, 2, 4 or 8 bytes at an HPA; the access ends inside the range.</summary>
    [AllocationFree]
    public void Write(ulong hpa, int size, ulong value)
    {
        ulong offset = OffsetOf(hpa, size);
        if (_device is not null)
        {
            _device.Write(offset, size, value);
            return;
        }
        byte* at = _hostPointer + offset;
        switch (size)
        {
            case sizeof(byte):
                Shared.Store(at, (byte)value);
                break;
            case sizeof(ushort):
                Shared.Store((ushort*)at, (ushort)value);
                break;
            case sizeof(uint):
                Shared.Store((uint*)at, (uint)value);
                break;
            default:
                Invariant.Require(size == sizeof(ulong));
                Shared.Store((ulong*)at, value);
                break;
        }
    }

    [AllocationFree]
    private ulong OffsetOf(ulong hpa, int size)
    {
        ulong offset = hpa - Hpa;
        Invariant.Require(offset < Length);
        Invariant.Require((ulong)size <= Length - offset);
        return offset;
    }
}
