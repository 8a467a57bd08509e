using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.Oracle;

/// <summary>A physical memory that holds a few single words and nothing else.</summary>
internal sealed unsafe class PathMemory : IDisposable
{
    private const int WordsMax = 8;
    private const ulong FrameMask = 0x000F_FFFF_FFFF_F000;

    private readonly ulong* _words = (ulong*)NativeMemory.AlignedAlloc(WordsMax * sizeof(ulong), 64);
    private readonly ulong* _addresses = (ulong*)NativeMemory.AlignedAlloc(WordsMax * sizeof(ulong), 64);

    /// <summary>How many words are held.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the memory holds the word at an address.</summary>
    public bool Holds(ulong hpa) => new View(_words, _addresses, Count).TryMap(hpa, sizeof(ulong), out _);

    /// <summary>The word at an address that the memory holds.</summary>
    public ref ulong At(ulong hpa)
    {
        bool isHeld = new View(_words, _addresses, Count).TryMap(hpa, sizeof(ulong), out byte* word);
        Invariant.Require(isHeld);
        return ref *(ulong*)word;
    }

    /// <summary>Puts a word at an address; one that is there already is replaced.</summary>
    public void Put(ulong hpa, ulong value)
    {
        if (!Holds(hpa)) _addresses[Count++] = hpa;
        At(hpa) = value;
    }

    /// <summary>Puts the path of a vector and nothing else, and tells the addresses of its entries.</summary>
    public WalkWords PutPath(in WalkVector v)
    {
        Count = 0;
        var addresses = default(WalkWords);
        ulong table = v.Root & FrameMask;
        for (int i = 0; i < v.PathLength; i++)
        {
            int shift = Paging.LevelShift(v.Group.Levels - i);
            ulong hpa = table + (((v.Address >> shift) & (Paging.EntriesPerTable - 1)) * sizeof(ulong));
            addresses[i] = hpa;
            Put(hpa, v.Before[i]);
            table = v.Before[i] & FrameMask;
        }
        return addresses;
    }

    public View Memory => new(_words, _addresses, Count);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_words);
        NativeMemory.AlignedFree(_addresses);
    }

    /// <summary>The memory as the walker sees it.</summary>
    public readonly struct View(ulong* words, ulong* addresses, int count) : IPhysicalMemory
    {
        public bool IsReadOnly => false;

        public bool TryMap(ulong hpa, int bytes, out byte* pointer)
        {
            for (int i = 0; i < count; i++)
            {
                pointer = (byte*)(words + i);
                if (addresses[i] == hpa) return true;
            }
            pointer = null;
            return false;
        }
    }
}
