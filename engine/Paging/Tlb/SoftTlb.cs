using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Tlb;

/// <summary>
/// The software TLB of one vCPU: guest-virtual page to host pointer, direct-mapped, with a larger second level that
/// refills it without a walk. It is emptied, never corrected.
/// </summary>
/// <remarks>
/// An entry of the first level is a tag (the page's address; a value that is no page's address when empty) and an
/// addend (host pointer minus guest address). There is one table for each of supervisor and user, and in each one for
/// reads and one for writes: an entry in the write table is the right to store without asking anyone, so a page whose
/// stores must be seen (decoded code) never gets one. The vCPU reads the tables itself through <see cref="Table"/>:
/// <code>
///   entry = table + ((address >> 8) &amp; IndexMask);  hit: ((address + size - 1) &amp; ~0xFFF) == entry[0]
///   host  = address + entry[1]
/// </code>
/// which also sends accesses that cross a page to the slow path.
/// </remarks>
[AllocationFree]
public sealed unsafe partial class SoftTlb : IDisposable
{
    /// <summary>Entries of each table of the first level.</summary>
    public const int Entries = 1024;

    /// <summary>Applied to (address >> 8), gives the byte offset of a page's entry.</summary>
    public const ulong IndexMask = (Entries - 1) * EntryBytes;

    private const int EntryBytes = 16;
    private const int TableBytes = Entries * EntryBytes;
    private const int Tables = 4;
    private const int RecordedMax = 256;
    private const ulong Empty = ulong.MaxValue;

    private readonly byte* _tables;
    private readonly byte** _recorded;
    private int _recordedCount;

    /// <summary>An empty TLB.</summary>
    public SoftTlb()
    {
        _tables = (byte*)NativeMemory.AlignedAlloc(Tables * TableBytes, (nuint)Paging.PageBytes);
        _recorded = (byte**)NativeMemory.Alloc(RecordedMax, (nuint)sizeof(byte*));
        _pages = (Translation*)NativeMemory.AllocZeroed(PageEntries, (nuint)sizeof(Translation));
        _superpages = (Translation*)NativeMemory.AllocZeroed(SuperpageEntries, (nuint)sizeof(Translation));
        _recordedCount = RecordedMax;
        Flush();
    }

    /// <summary>How often everything was dropped.</summary>
    public ulong Flushes { get; private set; }

    /// <summary>
    /// Some entry since the last flush is part of a page that is larger than 4 KiB on the guest's side; kept in pieces,
    /// it can be dropped with everything else alone.
    /// </summary>
    public bool HasLargePages { get; set; }

    /// <summary>The table of one privilege and one kind of access, for the vCPU's own look-ups.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Table(bool user, bool write) => _tables + ((user ? 2 : 0) + (write ? 1 : 0)) * TableBytes;

    /// <summary>Enters a page. Without <paramref name="write"/> stores to it take the slow path.</summary>
    /// <param name="address">Any guest-virtual address of the page.</param>
    /// <param name="hostPage">The first byte of the page in host memory.</param>
    /// <param name="user">Which privilege asked: an entry serves only that one.</param>
    /// <param name="read">Loads may use it.</param>
    /// <param name="write">Stores may use it.</param>
    public void Fill(ulong address, byte* hostPage, bool user, bool read, bool write)
    {
        ulong page = address & ~Paging.PageOffsetMask;
        if (read) Set(Table(user, write: false), page, hostPage);
        if (write) Set(Table(user, write: true), page, hostPage);
    }

    /// <summary>Drops everything.</summary>
    public void Flush()
    {
        Flushes++;
        if (_recordedCount < RecordedMax)
        {
            for (int i = 0; i < _recordedCount; i++) *(ulong*)_recorded[i] = Empty;
        }
        else
        {
            for (int i = 0; i < Tables * Entries; i++) *(ulong*)(_tables + i * EntryBytes) = Empty;
        }
        _recordedCount = 0;
        HasLargePages = false;
        FlushSecondLevel();
    }

    /// <summary>Drops one page for both privileges; all of it, however large it is (INVLPG).</summary>
    public void FlushPage(ulong address)
    {
        if (HasLargePages)
        {
            // What the page is now tells nothing about what it was, and its other pieces may be anywhere.
            Flush();
            return;
        }
        ulong page = address & ~Paging.PageOffsetMask;
        FlushSecondLevelAt(address);
        for (int table = 0; table < Tables; table++)
        {
            byte* entry = _tables + table * TableBytes + ((address >> 8) & IndexMask);
            if (*(ulong*)entry == page) *(ulong*)entry = Empty;
        }
    }

    /// <summary>Takes the right to store away from every entry of a host page: it holds decoded code now.</summary>
    public void DropStores(byte* hostPage)
    {
        for (int user = 0; user < 2; user++)
        {
            byte* table = Table(user != 0, write: true);
            for (int i = 0; i < Entries; i++)
            {
                byte* entry = table + i * EntryBytes;
                ulong tag = *(ulong*)entry;
                if (tag != Empty && tag + *(ulong*)(entry + 8) == (ulong)hostPage) *(ulong*)entry = Empty;
            }
        }
    }

    /// <summary>Frees the tables.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_tables);
        NativeMemory.Free(_recorded);
        NativeMemory.Free(_pages);
        NativeMemory.Free(_superpages);
    }

    private void Set(byte* table, ulong page, byte* hostPage)
    {
        byte* entry = table + ((page >> 8) & IndexMask);
        if (_recordedCount < RecordedMax) _recorded[_recordedCount++] = entry;
        *(ulong*)entry = page;
        *(ulong*)(entry + 8) = (ulong)hostPage - page;
    }
}
