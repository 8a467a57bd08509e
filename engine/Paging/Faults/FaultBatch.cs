using System;
using Pagoda.Core;

namespace Pagoda.Faults;

/// <summary>A view over four columns of the caller's. Lane i of each is fault i.</summary>
/// <remarks>
/// Stack only: it cannot outlive the memory that it views. Every lane of both results is always written.
/// </remarks>
[AllocationFree]
public readonly ref struct FaultBatch
{
    /// <summary>In: the guest-physical byte addresses.</summary>
    public readonly ReadOnlySpan<ulong> Gpa;

    /// <summary>In: what each access was, at least one right.</summary>
    public readonly ReadOnlySpan<Prot> Access;

    /// <summary>Out: where each address lies now; 0 when the access is not allowed. At or above the arena's length it
    /// is
    /// a device's.</summary>
    public readonly Span<ulong> Hpa;

    /// <summary>Out: how each fault ended.</summary>
    public readonly Span<FaultStatus> Status;

    /// <summary>Makes the view. The columns have equal lengths; they may lie in native memory or in arrays.</summary>
    public FaultBatch(ReadOnlySpan<ulong> gpa, ReadOnlySpan<Prot> access, Span<ulong> hpa, Span<FaultStatus> status)
    {
        // Checked once, in every build: the pipeline indexes all four by lane without further checks.
        Invariant.Require(gpa.Length == access.Length);
        Invariant.Require(gpa.Length == hpa.Length);
        Invariant.Require(gpa.Length == status.Length);
        Gpa = gpa;
        Access = access;
        Hpa = hpa;
        Status = status;
    }

    /// <summary>How many faults.</summary>
    public int Count => Gpa.Length;
}
