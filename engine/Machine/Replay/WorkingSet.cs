using System;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Replay;

/// <summary>Counts the pages that are touched in windows of several lengths, one window after another.</summary>
/// <remarks>
/// A page that was touched in the current window of one length was so in those of greater lengths, since each length is
/// a multiple of the one before.
/// </remarks>
internal sealed unsafe class WorkingSet : IDisposable
{
    /// <summary>How many lengths there are.</summary>
    public const int Lengths = 4;

    /// <summary>Accesses of the shortest window.</summary>
    public const ulong LengthMin = 10_000;

    private const ulong LengthFactor = 10;

    private readonly ulong* _last;      // each page's last touch, counted from 1; 0 for none
    private readonly Window* _windows;

    /// <summary>For so many pages.</summary>
    public WorkingSet(uint pages)
    {
        _last = (ulong*)NativeMemory.AllocZeroed(pages, sizeof(ulong));
        _windows = (Window*)NativeMemory.AllocZeroed(Lengths, (nuint)sizeof(Window));
        ulong length = LengthMin;
        for (int i = 0; i < Lengths; i++, length *= LengthFactor) _windows[i].Length = length;
    }

    /// <summary>A page is touched by the access with that number, counted from 0.</summary>
    [AllocationFree]
    public void Touch(uint page, ulong access)
    {
        ulong last = _last[page];
        _last[page] = access + 1;
        for (int i = 0; i < Lengths && last <= _windows[i].Start; i++) _windows[i].Pages++;
    }

    /// <summary>
    /// So many accesses are over: a multiple of <see cref="LengthMin"/>. Windows that end with it are counted.
    /// </summary>
    [AllocationFree]
    public void Advance(ulong accesses)
    {
        for (int i = 0; i < Lengths && accesses % _windows[i].Length == 0; i++)
        {
            Window* window = _windows + i;
            window->Count++;
            window->Sum += window->Pages;
            window->Max = ulong.Max(window->Max, window->Pages);
            window->Pages = 0;
            window->Start = accesses;
        }
    }

    /// <summary>What the whole windows of a length held.</summary>
    /// <param name="index">Which length, from 0 for the shortest.</param>
    public WorkingSetPoint Point(int index)
    {
        Window* window = _windows + index;
        double mean = window->Count == 0 ? 0 : (double)window->Sum / window->Count;
        return new WorkingSetPoint(window->Length, window->Count, mean, window->Max);
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_last);
        NativeMemory.Free(_windows);
    }

    private struct Window
    {
        public ulong Length;
        public ulong Start;
        public ulong Pages;
        public ulong Count;
        public ulong Sum;
        public ulong Max;
    }
}

/// <summary>A point of the working-set curve.</summary>
/// <param name="Accesses">The windows' length.</param>
/// <param name="Windows">Whole windows; the part of one at the end is not among them.</param>
/// <param name="MeanPages">Pages touched in a window, on average.</param>
/// <param name="MaxPages">Pages touched in the window that touched most.</param>
public readonly record struct WorkingSetPoint(ulong Accesses, ulong Windows, double MeanPages, ulong MaxPages);
