using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>
/// Memory for vCPU tests without tables: addresses are offsets. Pages can be taken away, made read-only, or turned into
/// device memory, and code is tracked as the machine does it.
/// </summary>
internal sealed unsafe partial class FlatMemory : VcpuMemory, IDisposable
{
    private readonly ulong _bytes;
    private readonly uint* _versions;
    private readonly ulong* _lines;
    private readonly Prot[] _rights;
    private readonly bool[] _isDevice;
    private bool _isExclusive;

    /// <param name="bytes">A multiple of 4 KiB.</param>
    /// <param name="isShared">Guest addresses are host addresses, so that the host can run the same code.</param>
    public FlatMemory(ulong bytes, bool isShared = false)
    {
        const int ReadWriteExecute = 7;
        const int PrivateAnonymous = 0x22;
        _bytes = bytes;
        Base = (byte*)Mmap(0, (nuint)bytes, ReadWriteExecute, PrivateAnonymous, -1, 0);
        if ((nint)Base == -1) throw new InsufficientMemoryException("mmap of a vCPU's test memory failed");
        Origin = isShared ? (ulong)Base : 0;
        ulong pages = bytes >> Paging.PageShift;
        _versions = (uint*)NativeMemory.AllocZeroed((nuint)pages + 1, sizeof(uint));
        _lines = (ulong*)NativeMemory.AllocZeroed((nuint)pages + 1, sizeof(ulong));
        _rights = new Prot[pages];
        _isDevice = new bool[pages];
        Array.Fill(_rights, Prot.All);
    }

    public byte* Base { get; }

    /// <summary>The guest address of the first byte.</summary>
    public ulong Origin { get; }

    /// <summary>Fills superpages of 2 MiB where set.</summary>
    public bool Superpages { get; set; }

    /// <summary>The vCPU must be in its slot exactly while it runs guest instructions.</summary>
    public bool IsInside { get; private set; }

    /// <summary>Addresses from here on show memory from 0 on once more.</summary>
    public ulong AliasFrom { get; set; } = ulong.MaxValue;

    /// <summary>A page that cannot be supplied.</summary>
    public ulong FailsAt { get; set; } = ulong.MaxValue;

    /// <summary>A page whose first translation takes a departure from the slot.</summary>
    public ulong DepartsAt { get; set; } = ulong.MaxValue;

    /// <summary>Another vCPU has the exclusive section when it is wanted next.</summary>
    public bool RefusesExclusive { get; set; }

    /// <summary>Called during that departure.</summary>
    public Action? OnDeparture { get; set; }

    /// <summary>Called where the vCPU looks for shootdowns.</summary>
    public Action? OnPoll { get; set; }

    /// <summary>Called with a frame in which lines are about to be marked as decoded.</summary>
    public Action<uint>? OnMark { get; set; }

    public void SetRights(ulong address, Prot rights) => _rights[PageOf(address)] = rights;

    /// <summary>Memory of the machine that guests may read alone: stores go to a device.</summary>
    public void SetRom(ulong address)
    {
        SetRights(address, Prot.Read);
        _isDevice[PageOf(address)] = true;
    }

    public void SetDevice(ulong address)
    {
        SetRights(address, Prot.None);
        _isDevice[PageOf(address)] = true;
    }

    public bool HasCode(ulong address) => IsCode(PfnOf(address));

    public override FillStatus Fill(VcpuState* state, ulong address, Prot access, bool user, out TlbFill fill)
    {
        fill = default;
        if (address >= AliasFrom) address -= AliasFrom;
        fill.Gpa = address;
        if (address - Origin >= _bytes)
        {
            fill.ErrorCode = access == Prot.Write ? 2U : 0;
            return address + (1UL << 47) >> 48 != 0 ? FillStatus.NotCanonical : FillStatus.PageFault;
        }
        ulong page = PageOf(address);
        if (address >> Paging.PageShift == FailsAt >> Paging.PageShift) return FillStatus.Error;
        if (address >> Paging.PageShift == DepartsAt >> Paging.PageShift)
        {
            DepartsAt = ulong.MaxValue;
            Departures++;
            OnDeparture?.Invoke();
        }
        if ((_rights[page] & access) != access)
        {
            if (_isDevice[page]) return FillStatus.Mmio;
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

    public override bool Poll()
    {
        OnPoll?.Invoke();
        return true;
    }

    /// <summary>The vCPU has the exclusive section.</summary>
    public bool IsExclusive => _isExclusive;

    public override bool TryBeginExclusive()
    {
        _isExclusive = !RefusesExclusive;
        RefusesExclusive = false;
        return _isExclusive;
    }

    public override void EndExclusive() => _isExclusive = false;

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
        OnMark?.Invoke(pfn);
        bool isNew = _lines[pfn] == 0;
        _lines[pfn] |= lines;
        return isNew;
    }

    public override bool CodeStored(uint pfn, ulong lines)
    {
        if ((_lines[pfn] & lines) == 0) return false;
        _lines[pfn] = 0;
        _versions[pfn] += 2;
        return true;
    }

    /// <summary>Takes every translation back.</summary>
    public void Shootdown() => EmptyTranslations();

    /// <summary>A number that differs when bytes differ.</summary>
    public ulong Checksum(ulong address, int bytes)
    {
        ulong sum = 0;
        for (int i = 0; i < bytes; i++) sum = (sum ^ Base[address - Origin + (ulong)i]) * 0x100_0000_01B3;
        return sum;
    }

    /// <summary>Somebody else than the vCPU changed bytes.</summary>
    public void ContentChanged(ulong address, int bytes)
    {
        for (ulong at = address & ~0xFFFUL; at < address + (ulong)bytes; at += Paging.PageBytes)
        {
            CodeStored(PfnOf(at), ulong.MaxValue);
        }
    }

    public void Dispose()
    {
        _ = Munmap((nint)Base, (nuint)_bytes);
        NativeMemory.Free(_versions);
        NativeMemory.Free(_lines);
    }

    private ulong PageOf(ulong address) => (address - Origin) >> Paging.PageShift;

    private uint PfnOf(ulong address) => (uint)PageOf(address) + 1;

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Munmap(nint address, nuint length);
}
