using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>
/// Memory for vCPU tests without tables: addresses are offsets. Pages can be taken away, made read-only, or turned into
/// device memory, and code is tracked as the machine does it.
/// </summary>
internal sealed unsafe class FlatMemory : VcpuMemory, IDisposable
{
    private readonly ulong _bytes;
    private readonly uint* _versions;
    private readonly ulong* _lines;
    private readonly Prot[] _rights;
    private readonly bool[] _isDevice;

    public FlatMemory(ulong bytes)
    {
        _bytes = bytes;
        Base = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)Paging.PageBytes);
        NativeMemory.Clear(Base, (nuint)bytes);
        ulong pages = bytes >> Paging.PageShift;
        _versions = (uint*)NativeMemory.AllocZeroed((nuint)pages + 1, sizeof(uint));
        _lines = (ulong*)NativeMemory.AllocZeroed((nuint)pages + 1, sizeof(ulong));
        _rights = new Prot[pages];
        _isDevice = new bool[pages];
        Array.Fill(_rights, Prot.All);
    }

    public byte* Base { get; }

    /// <summary>Fills superpages of 2 MiB where set.</summary>
    public bool Superpages { get; set; }

    /// <summary>The vCPU must be in its slot exactly while it runs guest instructions.</summary>
    public bool IsInside { get; private set; }

    public void SetRights(ulong address, Prot rights) => _rights[address >> Paging.PageShift] = rights;

    public void SetDevice(ulong address) => _isDevice[address >> Paging.PageShift] = true;

    public bool HasCode(ulong address) => IsCode(PfnOf(address));

    public override FillStatus Fill(VcpuState* state, ulong address, Prot access, bool user, out TlbFill fill)
    {
        fill = default;
        fill.Gpa = address;
        if (address >= _bytes)
        {
            fill.ErrorCode = access == Prot.Write ? 2U : 0;
            return address + (1UL << 47) >> 48 != 0 ? FillStatus.NotCanonical : FillStatus.PageFault;
        }
        ulong page = address >> Paging.PageShift;
        if (_isDevice[page]) return FillStatus.Mmio;
        if ((_rights[page] & access) != access)
        {
            fill.ErrorCode = (_rights[page] != Prot.None ? 1U : 0) | (access == Prot.Write ? 2U : 0);
            return FillStatus.PageFault;
        }
        fill.HostPage = Base + (page << Paging.PageShift);
        fill.Granted = _rights[page];
        fill.Shift = Superpages ? Paging.WindowShift : Paging.PageShift;
        fill.Pfn = PfnOf(address);
        return FillStatus.Ok;
    }

    public override bool Enter()
    {
        IsInside = true;
        return true;
    }

    public override void Poll()
    {
    }

    public override void Exit()
    {
        IsInside = false;
        Departures++;
    }

    public override void PagingChanged(VcpuState* state)
    {
    }

    public override ulong ReadDevice(ulong gpa, int size) => ulong.MaxValue;

    public override void WriteDevice(ulong gpa, int size, ulong value)
    {
    }

    public override uint* CodeVersion(uint pfn) => _versions + pfn;

    public override bool IsCode(uint pfn) => _lines[pfn] != 0;

    public override bool MarkCode(uint pfn, ulong lines)
    {
        bool isNew = _lines[pfn] == 0;
        _lines[pfn] |= lines;
        return isNew;
    }

    public override bool CodeStored(uint pfn, ulong lines)
    {
        if ((_lines[pfn] & lines) == 0) return false;
        _lines[pfn] = 0;
        _versions[pfn]++;
        return true;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Base);
        NativeMemory.Free(_versions);
        NativeMemory.Free(_lines);
    }

    private static uint PfnOf(ulong address) => (uint)(address >> Paging.PageShift) + 1;
}
