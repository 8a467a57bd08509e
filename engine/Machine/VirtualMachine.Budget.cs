using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Machine.Cpu;
using Pagoda.Reclaim;

namespace Pagoda.Machine;

/// <summary>Running with less memory than the guest has: what is asked for, and what is said when it fails.</summary>
public sealed unsafe partial class VirtualMachine
{
    private const ulong ResidentBytesBase = 1UL << 20;

    // For each window of 2 MiB a table and the words of its pages stay.
    private const int BookkeepingShift = 8;

    /// <summary>The least of <see cref="MachineOptions.ResidentBytes"/> that a guest can run with.</summary>
    /// <param name="memoryBytes">The guest's memory.</param>
    /// <returns>Whole pages.</returns>
    public static ulong ResidentBytesMin(ulong memoryBytes) =>
        ResidentBytesBase + ((memoryBytes >> BookkeepingShift) + Paging.PageOffsetMask & ~Paging.PageOffsetMask);

    private static void RequireBudget(MachineOptions options)
    {
        if (options.Policy == SuperpagePolicy.Superpage && !options.Superpages)
        {
            throw new MachineException(MachineSubject.Policy, "superpages are asked for and not allowed: allow them, "
                + "or use the fixed policy.");
        }
        ulong resident = options.ResidentBytes;
        if (resident == 0)
        {
            if (options.Swap is null) return;
            throw new MachineException(MachineSubject.Swap, "nothing would go there while all memory may be resident: "
                + "say how much may be.");
        }
        if (options.Swap is null)
        {
            throw new MachineException(MachineSubject.Resident, "what does not stay resident needs a swap file: "
                + "name one.");
        }
        if ((resident & Paging.PageOffsetMask) != 0)
        {
            throw new MachineException(MachineSubject.Resident, resident + " bytes are not a whole number of pages: "
                + "use a multiple of " + Paging.PageBytes + ".");
        }
        if (resident > options.Memory.Bytes)
        {
            throw new MachineException(MachineSubject.Resident, resident + " bytes are more than the guest's memory of "
                + options.Memory.Bytes + " bytes: nothing would be swapped; use less.");
        }
        ulong least = ResidentBytesMin(options.Memory.Bytes);
        if (resident < least)
        {
            throw new MachineException(MachineSubject.Resident, resident + " bytes are too few for a guest of "
                + options.Memory.Bytes + " bytes: use at least " + least + ".");
        }
    }

    private string ExplainMemory(GuestMmu memory)
    {
        FaultStatus status = memory.LastFailure;
        string where = " at " + new Gpa(memory.LastFailureGpa);
        if (status is FaultStatus.Poisoned or FaultStatus.PagerError)
        {
            return "machine check: the page" + where + " was lost, because it could not be read back from the swap "
                + "file. ";
        }
        string failed = "memory could not be supplied" + where;
        if (status != FaultStatus.OutOfMemory) return failed + " (" + status + "). ";
        return failed + _budget?.LastPressure switch
        {
            null => ": the arena is used up; enlarge it. ",
            ReclaimEnd.SwapFull => ": the swap file is full; use a larger one. ",
            ReclaimEnd.WriteError => ": the swap file cannot be written; is its disk full? ",
            _ => ": all that is resident is in use; let more be. ",
        };
    }
}
