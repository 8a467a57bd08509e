using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.GuestAccess;

namespace Pagoda;

/// <summary>What the host knows about the use of memory. Nothing here allocates.</summary>
public sealed unsafe partial class Guest
{
    /// <summary>Acts on an advice about a range. Holes, devices and, for a discard, ROM are passed over.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="advice">The advice.</param>
    /// <exception cref="MapException">The range is none, or a wired page shall lose its content; nothing was changed.
    /// </exception>
    [AllocationFree]
    public AdviceResult Advise(Gpa gpa, ulong length, Advice advice)
    {
        var range = new GpaRange(gpa, length);
        return Advise(new ReadOnlySpan<GpaRange>(in range), advice);
    }

    /// <summary>Acts on an advice about the whole guest.</summary>
    /// <param name="advice">The advice.</param>
    /// <exception cref="MapException">A wired page shall lose its content; nothing was changed.</exception>
    [AllocationFree]
    public AdviceResult Advise(Advice advice) => Advise(new Gpa(0), 1UL << Space.AddressBits, advice);

    /// <summary>
    /// Acts on an advice about several ranges, in their order: one shootdown for all of them, and full batches of
    /// faults.
    /// </summary>
    /// <param name="ranges">Page aligned, whole pages; they may overlap.</param>
    /// <param name="advice">The advice.</param>
    /// <exception cref="MapException">One of the ranges is none, or a wired page shall lose its content; nothing was
    /// changed.</exception>
    [AllocationFree]
    public AdviceResult Advise(ReadOnlySpan<GpaRange> ranges, Advice advice)
    {
        GuestArguments.RequireRanges(ranges, Space.AddressBits);
        VmspaceConsumer walker = TakeWalker(out int index);
        try
        {
            return GuestAdvice.Advise(walker, ranges, advice);
        }
        finally
        {
            // Also when a wired page refused.
            GiveWalker(index);
        }
    }
}
