using System.Threading;
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
    public ulong End => Hpa + Length;

    /// <summary>Reads 1, 2, 4 or 8 bytes at an HPA; the access ends inside the range.</summary>
    public ulong Read(ulong hpa, int size)
    {
        ulong offset = OffsetOf(hpa, size);
        if (_device is not null) return _device.Read(offset, size);
        byte* at = _hostPointer + offset;
        switch (size)
        {
            case sizeof(byte): return Volatile.Read(ref *at);
            case sizeof(ushort): return Volatile.Read(ref *(ushort*)at);
            case sizeof(uint): return Volatile.Read(ref *(uint*)at);
            default:
                Invariant.Require(size == sizeof(ulong));
                return Volatile.Read(ref *(ulong*)at);
        }
    }

    /// <summary>Writes 1, 2, 4 or 8 bytes at an HPA; the access ends inside the range.</summary>
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
                Volatile.Write(ref *at, (byte)value);
                break;
            case sizeof(ushort):
                Volatile.Write(ref *(ushort*)at, (ushort)value);
                break;
            case sizeof(uint):
                Volatile.Write(ref *(uint*)at, (uint)value);
                break;
            default:
                Invariant.Require(size == sizeof(ulong));
                Volatile.Write(ref *(ulong*)at, value);
                break;
        }
    }

    private ulong OffsetOf(ulong hpa, int size)
    {
        ulong offset = hpa - Hpa;
        Invariant.Require(offset < Length);
        Invariant.Require((ulong)size <= Length - offset);
        return offset;
    }
}
