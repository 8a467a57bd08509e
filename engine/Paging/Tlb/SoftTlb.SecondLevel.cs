using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Tlb;

/// <summary>
/// The second level: what a slow path asks before it walks. Many 4 KiB pages, and 2 MiB runs of guest-virtual memory
/// that are contiguous in host memory.
/// </summary>
public sealed unsafe partial class SoftTlb
{
    private const int PageEntries = 16384;
    private const int SuperpageEntries = 64;

    private readonly Translation* _pages;
    private readonly Translation* _superpages;
    private uint _epoch = 1;
    private bool _hasSuperpages;

    /// <summary>Keeps a translation for both levels to come.</summary>
    /// <param name="address">Any guest-virtual address of the page.</param>
    /// <param name="hostPage">The first byte of the 4 KiB page in host memory.</param>
    /// <param name="shift">log2 of the run that is contiguous on both sides.</param>
    /// <param name="user">Which privilege asked: an entry serves only that one.</param>
    /// <param name="granted">What any page of the run allows without another walk.</param>
    /// <param name="pfn">The page's frame, or 0 when it is not the arena's.</param>
    public void Keep(ulong address, byte* hostPage, int shift, bool user, Prot granted, uint pfn)
    {
        Translation* entry;
        if (shift >= Paging.WindowShift)
        {
            ulong pages = (address & Paging.WindowOffsetMask) >> Paging.PageShift;
            entry = SuperpageAt(address, user);
            entry->Tag = address & ~Paging.WindowOffsetMask;
            entry->Host = hostPage - (pages << Paging.PageShift);
            entry->Pfn = pfn == 0 ? 0 : pfn - (uint)pages;
            _hasSuperpages = true;
            HasLargePages = true;
        }
        else
        {
            entry = PageAt(address, user);
            entry->Tag = address & ~Paging.PageOffsetMask;
            entry->Host = hostPage;
            entry->Pfn = pfn;
        }
        entry->Granted = granted;
        entry->Epoch = EpochOf(user);
    }

    /// <summary>The page around an address, if an entry covers it with the rights asked for.</summary>
    /// <returns>The first byte of the 4 KiB page in host memory, or null.</returns>
    public byte* Find(ulong address, bool user, Prot needed, out Prot granted, out uint pfn)
    {
        Translation* entry = PageAt(address, user);
        ulong page = 0;
        if (entry->Tag != (address & ~Paging.PageOffsetMask) || entry->Epoch != EpochOf(user))
        {
            entry = SuperpageAt(address, user);
            page = (address & Paging.WindowOffsetMask) >> Paging.PageShift;
            bool isHit = _hasSuperpages && entry->Tag == (address & ~Paging.WindowOffsetMask)
                && entry->Epoch == EpochOf(user);
            if (!isHit)
            {
                granted = Prot.None;
                pfn = 0;
                return null;
            }
        }
        granted = entry->Granted;
        pfn = entry->Pfn == 0 ? 0 : entry->Pfn + (uint)page;
        return (granted & needed) == needed ? entry->Host + (page << Paging.PageShift) : null;
    }

    // The two privileges share the tables; the epoch tells them apart and makes a flush one addition.
    private uint EpochOf(bool user) => (_epoch << 1) | (user ? 1U : 0U);

    private Translation* PageAt(ulong address, bool user) =>
        _pages + ((address >> Paging.PageShift) + (user ? (ulong)PageEntries / 2 : 0)) % PageEntries;

    private Translation* SuperpageAt(ulong address, bool user) =>
        _superpages + ((address >> Paging.WindowShift) + (user ? (ulong)SuperpageEntries / 2 : 0)) % SuperpageEntries;

    private void FlushSecondLevel()
    {
        _hasSuperpages = false;
        _epoch++;
        if (_epoch << 1 != 0) return;
        // Once in two thousand million flushes: entries of the first epochs could be taken for new ones.
        NativeMemory.Clear(_pages, PageEntries * (nuint)sizeof(Translation));
        NativeMemory.Clear(_superpages, SuperpageEntries * (nuint)sizeof(Translation));
        _epoch = 1;
    }

    /// <summary>Drops one page. Where superpages are, everything is dropped instead.</summary>
    private void FlushSecondLevelAt(ulong address)
    {
        PageAt(address, user: false)->Epoch = 0;
        PageAt(address, user: true)->Epoch = 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Translation
    {
        public ulong Tag;           // the run's first address
        public byte* Host;
        public uint Epoch;          // 0 is never current
        public uint Pfn;
        public Prot Granted;
    }
}
