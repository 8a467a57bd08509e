using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.GuestAccess;

/// <summary>Faults in what a walk over a range did not find, 64 pages at a time.</summary>
[AllocationFree]
internal static unsafe class MissingPages
{
    /// <summary>Pages of one batch.</summary>
    public const int Max = 64;

    /// <summary>Collects the pages that an access would fault on. The caller is in its slot.</summary>
    /// <param name="consumer">The caller's.</param>
    /// <param name="first">The first page, which is missing.</param>
    /// <param name="end">The first byte that is no longer wanted.</param>
    /// <param name="access">The rights.</param>
    /// <param name="missing">Receives their addresses; room for <see cref="Max"/>.</param>
    /// <returns>How many: at least 1.</returns>
    public static int Collect(VmspaceConsumer consumer, ulong first, ulong end, Prot access, ulong* missing)
    {
        missing[0] = first;
        int count = 1;
        ulong page = first & ~(ulong)Paging.PageOffsetMask;
        for (int i = 1; i < Max; i++)
        {
            page += Paging.PageBytes;
            if (page >= end || page == 0) break;
            if (!consumer.Space.Pmap.TryExtract(page, access, out _)) missing[count++] = page;
        }
        return count;
    }

    /// <summary>Faults them in. The caller is outside its slot.</summary>
    /// <returns>Resolved, or the status of the first page that could not be had.</returns>
    public static FaultStatus Fault(VmspaceConsumer consumer, ulong* missing, int count, Prot access) =>
        Fault(consumer, missing, count, access, out _);

    /// <summary>Faults them in, and says which is the first that could not be had.</summary>
    public static FaultStatus Fault(VmspaceConsumer consumer, ulong* missing, int count, Prot access, out int failed)
    {
        Prot* accesses = stackalloc Prot[Max];
        ulong* hpas = stackalloc ulong[Max];
        FaultStatus* status = stackalloc FaultStatus[Max];
        for (int i = 0; i < count; i++) accesses[i] = access;
        int allowed = FaultPipeline.Resolve(consumer, new FaultBatch(new ReadOnlySpan<ulong>(missing, count),
            new ReadOnlySpan<Prot>(accesses, count), new Span<ulong>(hpas, count),
            new Span<FaultStatus>(status, count)));
        failed = 0;
        if (allowed == count) return FaultStatus.Resolved;
        while (status[failed] <= FaultStatus.Emulated) failed++;
        return status[failed];
    }
}
