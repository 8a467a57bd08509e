using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Reclaim;

namespace Pagoda.Machine;

/// <summary>What may be asked for, and what is said when it fails.</summary>
internal sealed partial class MemoryBudget
{
    /// <summary>Refuses superpages that are asked for and not allowed.</summary>
    /// <exception cref="MachineException">They are.</exception>
    public static void RequireSense(SuperpagePolicy policy, bool superpages)
    {
        if (policy != SuperpagePolicy.Superpage || superpages) return;
        throw new MachineException(MachineSubject.Policy, "superpages are asked for and not allowed: allow them, or "
            + "use the fixed policy.");
    }

    /// <summary>Refuses resident sizes that do not go with the memory or the swap file.</summary>
    /// <param name="memory">The guest's memory in bytes.</param>
    /// <param name="resident">What may be resident of it; 0 for all.</param>
    /// <param name="least">The least that a guest can do with.</param>
    /// <param name="swap">The swap file; null for none.</param>
    /// <exception cref="MachineException">They do not.</exception>
    public static void RequireSense(ulong memory, ulong resident, ulong least, string? swap)
    {
        if (resident == 0)
        {
            if (swap is null) return;
            throw new MachineException(MachineSubject.Swap, "nothing would go there while all memory may be resident: "
                + "say how much may be.");
        }
        if (swap is null)
        {
            throw new MachineException(MachineSubject.Resident, "what does not stay resident needs a swap file: "
                + "name one.");
        }
        if ((resident & Paging.PageOffsetMask) != 0)
        {
            throw new MachineException(MachineSubject.Resident, resident + " bytes are not a whole number of pages: "
                + "use a multiple of " + Paging.PageBytes + ".");
        }
        if (resident > memory)
        {
            throw new MachineException(MachineSubject.Resident, resident + " bytes are more than the guest's memory of "
                + memory + " bytes: nothing would be swapped; use less.");
        }
        if (resident < least)
        {
            throw new MachineException(MachineSubject.Resident, resident + " bytes are too few for a guest of "
                + memory + " bytes: use at least " + least + ".");
        }
    }

    /// <summary>Why an access failed for good, as a sentence.</summary>
    /// <param name="budget">The guest's budget; null without one.</param>
    /// <param name="status">How its fault ended.</param>
    /// <param name="gpa">Its address.</param>
    public static string Explain(MemoryBudget? budget, FaultStatus status, ulong gpa)
    {
        string where = " at " + new Gpa(gpa);
        if (status is FaultStatus.Poisoned or FaultStatus.PagerError)
        {
            return "machine check: the page" + where + " was lost, because it could not be read back from the swap "
                + "file.";
        }
        string failed = "memory could not be supplied" + where;
        if (status != FaultStatus.OutOfMemory) return failed + " (" + status + ").";
        return failed + budget?.LastPressure switch
        {
            null => ": the arena is used up; enlarge it.",
            ReclaimEnd.SwapFull => ": the swap file is full; use a larger one.",
            ReclaimEnd.WriteError => ": the swap file cannot be written; is its disk full?",
            _ => ": all that is resident is in use; let more be.",
        };
    }
}
