using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Tlb;

namespace Pagoda.Machine.Replay;

/// <summary>One access after another: TLB, walk, fault, bytes. Inside the slot.</summary>
public sealed unsafe partial class TraceReplay
{
    private const int Kinds = 4;
    private const ulong PageMask = ~(ulong)Paging.PageOffsetMask;
    private const ulong NoPage = ulong.MaxValue;

    private ulong _fetchedPage = NoPage;
    private ulong _dataPage = NoPage;
    private ulong _crossings;
    private ulong _misses;
    private ulong _secondHits;
    private ulong _walks;
    private ulong _flushes;
    private ulong _refaults;

    /// <summary>Performs accesses; returns how many succeeded.</summary>
    [AllocationFree]
    private int Perform(TraceRecord* records, int count)
    {
        byte** tables = stackalloc byte*[Kinds];
        tables[(int)TraceKind.Fetch] = _code.Table(user: false, write: false);
        tables[(int)TraceKind.Load] = _data.Table(user: false, write: false);
        tables[(int)TraceKind.Store] = _data.Table(user: false, write: true);
        tables[(int)TraceKind.Modify] = _data.Table(user: false, write: true);
        for (int i = 0; i < count; i++)
        {
            ulong address = records[i].Address;
            uint size = records[i].Size;
            TraceKind kind = records[i].Kind;
            byte* entry = tables[(int)kind] + ((address >> 8) & SoftTlb.IndexMask);
            if (((address + size - 1) & PageMask) == *(ulong*)entry)
            {
                byte* host = (byte*)(address + *(ulong*)(entry + sizeof(ulong)));
                Touch(kind, address >> Paging.PageShift, (ulong)i);
                if (!Use(kind, address, host, size)) return i;
            }
            else if (!PerformSlowly(kind, address, size, (ulong)i))
            {
                return i;
            }
        }
        return count;
    }

    /// <summary>An access that crosses into another page, or missed the TLB.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool PerformSlowly(TraceKind kind, ulong address, uint size, ulong index)
    {
        uint room = (uint)(Paging.PageBytes - (address & Paging.PageOffsetMask));
        if (size > room)
        {
            // A part each: the slot may be left between them, so neither's pointer outlives it.
            if (!PerformSlowly(kind, address, room, index)) return false;
            _crossings++;
            return PerformSlowly(kind, address + room, size - room, index);
        }
        byte* host = Translate(kind, address);
        if (host == null) return false;
        Touch(kind, address >> Paging.PageShift, index);
        return Use(kind, address, host, size);
    }

    /// <summary>What the first level does not have; null when there is no translation.</summary>
    [AllocationFree]
    private byte* Translate(TraceKind kind, ulong address)
    {
        bool isFetch = kind == TraceKind.Fetch;
        SoftTlb tlb = isFetch ? _code : _data;
        Prot access = isFetch ? Prot.Execute : kind == TraceKind.Load ? Prot.Read : Prot.Write;
        _misses++;
        byte* page = tlb.Find(address, user: false, access, out Prot granted, out _);
        if (page != null)
        {
            _secondHits++;
        }
        else
        {
            if (!_pages.TryFold(address >> Paging.PageShift, out uint number))
            {
                _end = ReplayEnd.MemoryTooSmall;
                return null;
            }
            page = Walk(number, access, out granted);
            if (page == null) return null;
            tlb.Keep(address, page, Paging.PageShift, user: false, granted, pfn: 0);
        }
        tlb.Fill(address, page, user: false, (granted & (isFetch ? Prot.Execute : Prot.Read)) != 0,
            (granted & Prot.Write) != 0);
        return page + (address & Paging.PageOffsetMask);
    }

    [AllocationFree]
    private byte* Walk(uint number, Prot access, out Prot granted)
    {
        ulong gpa = (ulong)number << Paging.PageShift;
        ulong hpa;
        while (!_consumer.TryWalk(gpa, access, out hpa, out granted))
        {
            FaultStatus status = _consumer.Fault(gpa, access, out _);
            if (!Enter()) status = FaultStatus.Destroyed;
            if (status > FaultStatus.Emulated)
            {
                _end = ReplayEnd.Error;
                _failure = status;
                _failureGpa = gpa;
                return null;
            }
            if (status == FaultStatus.Resolved && _mapped[number] != 0) _refaults++;
        }
        _walks++;
        _mapped[number] = 1;
        return _arena.DirectMap(hpa);
    }

    /// <summary>Counts a page for the working set, unless the access of its sort before was to it too.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Touch(TraceKind kind, ulong tracePage, ulong index)
    {
        ref ulong last = ref kind == TraceKind.Fetch ? ref _fetchedPage : ref _dataPage;
        if (tracePage == last) return;
        last = tracePage;
        bool found = _pages.TryFold(tracePage, out uint number);
        Invariant.Assert(found);
        _workingSet.Touch(number, _done + index);
    }

    /// <summary>A window of the working set ended: every page counts again.</summary>
    private void ForgetPages()
    {
        _fetchedPage = NoPage;
        _dataPage = NoPage;
    }
}
