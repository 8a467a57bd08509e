using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Faults;

/// <summary>The batched nested-fault pipeline. One fault is a batch of one: there is no other path.</summary>
/// <remarks>
/// <code>
///   1 probe    walk all lanes in lockstep; faults that are spurious or only need A or M end here
///   2 locate   address -> map entry -> object and page; lanes in ascending order, one look-up a run
///   3 claim    window by window, one lock at a time: look again, fold lanes that name one page; a page that is
///              resident, or whose zeros wait in the consumer's cache, is entered at once; others are claimed (Busy)
///   4 supply   outside the slot, no lock held: frames, then the pagers, each with all its pages
///   5 publish  window by window: if the map is still the one that was located in, enter; the word ends its Busy state
///   6 finish   lanes that met another's Busy page, or a changed map, start again at 1
/// </code>
/// A fault is an exit: the caller's consumer is in no slot. The pipeline is in its slot as a walker in stages 1 to 3
/// and in 5, and nowhere while it waits, asks for memory or reads. It waits for another fault's page only when it owns
/// none itself. Stage 3 ends most faults: what needs no wait needs no second lock, and a frame that is in the cache
/// already was not waited for. Frames are only ever waited for by nobody: without one the lane ends in OutOfMemory.
/// </remarks>
[AllocationFree]
public static unsafe class FaultPipeline
{
    /// <summary>Resolves every lane.</summary>
    /// <param name="consumer">The caller's; outside its slot, and it stays so.</param>
    /// <param name="batch">Any number of lanes; more than 64 are taken in turns.</param>
    /// <returns>Lanes whose access is allowed now.</returns>
    public static int Resolve(VmspaceConsumer consumer, in FaultBatch batch)
    {
        consumer.BeginCall();
        try
        {
            return ResolveAll(consumer, in batch);
        }
        finally
        {
            // Also when a pager throws, of these pages or of those that make room for them: a destroyer waits for this.
            consumer.EndCall();
        }
    }

    private static int ResolveAll(VmspaceConsumer consumer, in FaultBatch batch)
    {
        FaultLanes lanes;
        int allowed = 0;
        fixed (ulong* gpa = batch.Gpa)
        fixed (Prot* access = batch.Access)
        fixed (ulong* hpa = batch.Hpa)
        fixed (FaultStatus* status = batch.Status)
        {
            for (int first = 0; first < batch.Count; first += FaultLanes.Max)
            {
                int count = int.Min(batch.Count - first, FaultLanes.Max);
                var run = new FaultRun(consumer, &lanes, gpa + first, access + first, hpa + first, status + first,
                    count);
                allowed += ResolvePass(ref run);
            }
        }
        return allowed;
    }

    /// <summary>
    /// Whoever is called on the way may throw: a pager, or a host that is told of a page that it lost. No page may stay
    /// Busy then, since everybody would wait for it for ever.
    /// </summary>
    private static int ResolvePass(ref FaultRun run)
    {
        bool returned = false;
        try
        {
            int allowed = run.Resolve();
            returned = true;
            return allowed;
        }
        finally
        {
            if (!returned) run.GiveUp();
        }
    }
}
