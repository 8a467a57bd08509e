using System;
using System.Collections.Generic;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Threading;
using Pagoda.Linux;

namespace Pagoda.Physical;

/// <summary>
/// The simulator's twin of the kernel's class: small regions come from a stock, cleared, because making a world would
/// take longer than playing it.
/// </summary>
public sealed unsafe class NativeRegion : SafeHandle
{
    private const int Readable = Libc.PROT_READ | Libc.PROT_WRITE;
    private const int Anonymous = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE;
    private const int ClassesMax = 18;
    private const nint NoAddress = 0;

    private static readonly Lock s_lock = new();
    private static readonly Stack<nint>[] s_stock = MakeStock();

    private readonly int _sizeClass;

    private NativeRegion(nint address, nuint length, int sizeClass) : base(NoAddress, ownsHandle: true)
    {
        Length = length;
        _sizeClass = sizeClass;
        SetHandle(address);
    }

    public override bool IsInvalid => handle == NoAddress;

    public byte* Base => (byte*)handle;

    public nuint Length { get; }

    public static NativeRegion Map(nuint length)
    {
        ArgumentOutOfRangeException.ThrowIfZero(length);
        int sizeClass = BitOperations.Log2((ulong)length * 2 - 1);
        if (sizeClass >= ClassesMax)
        {
            int errno = Libc.Mmap(null, length, Readable, Anonymous, -1, out void* mapped);
            if (errno != 0) throw new InsufficientMemoryException("Mapping failed with " + errno + ".");
            return new NativeRegion((nint)mapped, length, ClassesMax);
        }
        nint address;
        lock (s_lock)
        {
            if (!s_stock[sizeClass].TryPop(out address)) address = NoAddress;
        }
        nuint bytes = (nuint)1 << sizeClass;
        if (address == NoAddress)
            address = (nint)NativeMemory.AlignedAlloc(bytes, nuint.Min(bytes, (nuint)Core.Paging.PageBytes));
        NativeMemory.Clear((void*)address, length);
        return new NativeRegion(address, length, sizeClass);
    }

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

    protected override bool ReleaseHandle()
    {
        if (_sizeClass == ClassesMax) return Libc.Munmap((void*)handle, Length) == 0;
        lock (s_lock) s_stock[_sizeClass].Push(handle);
        return true;
    }

    private static Stack<nint>[] MakeStock()
    {
        var stock = new Stack<nint>[ClassesMax];
        for (int i = 0; i < stock.Length; i++) stock[i] = new Stack<nint>();
        return stock;
    }
}
