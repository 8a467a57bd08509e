using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Tlb;

/// <summary>The second level: 2 MiB of guest-virtual memory that is contiguous in host memory.</summary>
public sealed unsafe partial class SoftTlb
{
    private const int SuperpageEntries = 64;

    private readonly Superpage* _superpages;
    private bool _hasSuperpages;

    /// <summary>Enters the 2 MiB around an address.</summary>
    /// <param name="address">Any guest-virtual address in it.</param>
    /// <param name="hostWindow">Host memory of the window's first byte.</param>
    /// <param name="user">Which privilege asked.</param>
    /// <param name="granted">What any page of it allows without another walk.</param>
    /// <param name="pfn">The window's first frame, or 0 when it is not the arena's.</param>
    public void FillSuperpage(ulong address, byte* hostWindow, bool user, Prot granted, uint pfn)
    {
        Superpage* entry = SuperpageAt(address, user);
        entry->Tag = (address & ~Paging.WindowOffsetMask) | 1;
        entry->Host = hostWindow;
        entry->Granted = granted;
        entry->Pfn = pfn;
        _hasSuperpages = true;
    }

    /// <summary>The page around an address, if a superpage entry covers it with the rights asked for.</summary>
    /// <returns>The first byte of the 4 KiB page in host memory, or null.</returns>
    public byte* FindInSuperpage(ulong address, bool user, Prot needed, out Prot granted, out uint pfn)
    {
        Superpage* entry = SuperpageAt(address, user);
        granted = entry->Granted;
        uint page = (uint)((address & Paging.WindowOffsetMask) >> Paging.PageShift);
        pfn = entry->Pfn == 0 ? 0 : entry->Pfn + page;
        if (entry->Tag != ((address & ~Paging.WindowOffsetMask) | 1)) return null;
        if ((granted & needed) != needed) return null;
        return entry->Host + ((ulong)page << Paging.PageShift);
    }

    private Superpage* SuperpageAt(ulong address, bool user) =>
        _superpages + ((address >> Paging.WindowShift) & (SuperpageEntries - 1)) + (user ? SuperpageEntries : 0);

    private void FlushSuperpages()
    {
        if (!_hasSuperpages) return;
        for (int i = 0; i < 2 * SuperpageEntries; i++) _superpages[i].Tag = 0;
        _hasSuperpages = false;
    }

    private bool FlushSuperpagesAt(ulong address)
    {
        bool found = false;
        for (int user = 0; user < 2; user++)
        {
            Superpage* entry = SuperpageAt(address, user != 0);
            if (entry->Tag != ((address & ~Paging.WindowOffsetMask) | 1)) continue;
            entry->Tag = 0;
            found = true;
        }
        return found;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Superpage
    {
        public ulong Tag;           // the window's address with bit 0 set; 0 is empty
        public byte* Host;
        public uint Pfn;
        public Prot Granted;
    }
}
