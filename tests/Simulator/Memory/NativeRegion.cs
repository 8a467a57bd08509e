using System;
using System.Runtime.InteropServices;
using Pagoda.Linux;
using Pagoda.Simulator.Memory;

namespace Pagoda.Physical;

/// <summary>
/// The simulator's twin of the kernel's class: regions come from the worker's stock, because mapping a world would take
/// longer than playing it.
/// </summary>
public sealed unsafe class NativeRegion : SafeHandle
{
    private const nint NoAddress = 0;

    private NativeRegion(byte* address, nuint length) : base(NoAddress, ownsHandle: true)
    {
        Length = length;
        SetHandle((nint)address);
    }

    public override bool IsInvalid => handle == NoAddress;

    public byte* Base => (byte*)handle;

    public nuint Length { get; }

    public static NativeRegion Map(nuint length)
    {
        ArgumentOutOfRangeException.ThrowIfZero(length);
        RegionStock stock = RegionStock.Current ?? throw new InvalidOperationException("No world is being made.");
        return new NativeRegion(stock.Take(length), length);
    }

    // Arenas of the simulator lie in memory that it brings.
    internal static int TryMapAligned(nuint length, nuint alignment, out NativeRegion? region)
    {
        region = null;
        return Errno.ENOMEM;
    }

    internal static int TryMapHugetlb(nuint length, out NativeRegion? region)
    {
        region = null;
        return Errno.ENOMEM;
    }

    internal int TryReplaceByFile(int fd) => Errno.ENOMEM;

    // The stock takes all of them back at once.
    protected override bool ReleaseHandle() => true;
}
