using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;

namespace Pagoda.Perf.Gate;

/// <summary>
/// What the engine keeps beside guest memory: bytes of a mapped GiB, and what a TiB costs that nobody touches.
/// </summary>
internal static class Metadata
{
    private const ulong MappedBytes = 256UL << 20;
    private const ulong ArenaBytes = 320UL << 20;
    private const ulong SparseBytes = 1UL << 40;
    private const double MiB = 1 << 20;
    private const int Rounds = 15;

    /// <summary>Prints both.</summary>
    public static void Print(TextWriter output)
    {
        output.WriteLine(Describe("4 KiB", superpages: false));
        output.WriteLine(Describe("2 MiB", superpages: true));
        output.WriteLine(DescribeSparse());
    }

    private static string Describe(string leaf, bool superpages)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = ArenaBytes });
        using var guest = new Guest(arena, new GuestOptions
        {
            Superpages = superpages,
            Policy = superpages ? SuperpagePolicy.Superpage : SuperpagePolicy.Fixed,
        });
        guest.MapMemory(new Gpa(0), MappedBytes);
        using GuestConsumer consumer = guest.AddConsumer();
        for (ulong gpa = 0; gpa < MappedBytes; gpa += Core.Paging.PageBytes)
        {
            FaultStatus status = consumer.Fault(gpa, Prot.Write, out _);
            Invariant.Require(status <= FaultStatus.Emulated);
        }
        GuestCounters counters = guest.Counters;
        Invariant.Require(counters.ResidentPages == MappedBytes >> Core.Paging.PageShift);
        double scale = (1UL << 30) / (double)MappedBytes / MiB;
        double frames = (MappedBytes >> Core.Paging.PageShift) * (ulong)FrameTable.BytesPerFrame * scale;
        double versions = (MappedBytes >> Core.Paging.PageShift) * sizeof(uint) * scale;
        double words = (MappedBytes >> Core.Paging.WindowShift) * Core.Paging.PageBytes * scale;
        double tables = counters.TablePages * Core.Paging.PageBytes * scale;
        double runs = (MappedBytes >> Core.Paging.WindowShift) * (ulong)Reservations.BytesPerRun * scale;
        return string.Create(CultureInfo.InvariantCulture,
            $"metadata   {frames + words + tables + runs,8:0.00} MiB a GiB mapped by {leaf}: frames {frames:0.00}," +
            $" page words {words:0.00}, tables {tables:0.00}, runs {runs:0.00}; of the frames' {versions:0.00} are" +
            $" versions of decoded code, resident only where code ran");
    }

    private static string DescribeSparse()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16UL << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        double[] times = new double[Rounds];
        ulong used = 0;
        for (int round = 0; round < Rounds; round++)
        {
            ulong free = arena.Allocator.FreeFrames;
            long started = Stopwatch.GetTimestamp();
            guest.MapMemory(new Gpa(0), SparseBytes);
            times[round] = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
            used = ulong.Max(used, free - arena.Allocator.FreeFrames);
            guest.Unmap(new Gpa(0), SparseBytes);
        }
        Array.Sort(times);
        return string.Create(CultureInfo.InvariantCulture,
            $"sparse     {times[Rounds / 2],8:0.0} us (best {times[0]:0.0}) to map 1 TiB that nobody touches; {used}" +
            $" frames used");
    }
}
