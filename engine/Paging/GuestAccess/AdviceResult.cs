using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.GuestAccess;

/// <summary>What came of an advice.</summary>
[method: AllocationFree]
public readonly struct AdviceResult(FaultStatus status, ulong pages, Gpa address)
{
    /// <summary>
    /// Resolved, or why a page was left out: a lost one, after which the others were still brought in; OutOfMemory and
    /// Destroyed, where it ended.
    /// </summary>
    public readonly FaultStatus Status = status;

    /// <summary>Pages that were brought in, aged, or lost their content.</summary>
    public readonly ulong Pages = pages;

    /// <summary>The first page that was left out; meaningless when Resolved.</summary>
    public readonly Gpa Address = address;
}
