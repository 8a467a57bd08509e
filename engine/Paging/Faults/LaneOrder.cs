using System.Numerics;
using System.Runtime.Intrinsics;
using Pagoda.Core;

namespace Pagoda.Faults;

/// <summary>Puts the lanes of a batch into ascending order of their pages.</summary>
/// <remarks>
/// A batch is at most 64 lanes, so the rank of a lane (how many keys are smaller) is a few vector comparisons and a
/// count of bits: no branch depends on the data. Keys carry their lane and are therefore all different.
/// </remarks>
[AllocationFree]
internal static unsafe class LaneOrder
{
    private const int LaneBits = 6;
    private const int FewLanes = 8;

    /// <summary>Sorts the lanes of a set.</summary>
    /// <param name="gpa">Addresses by lane.</param>
    /// <param name="set">The lanes, one bit each.</param>
    /// <param name="order">Receives them.</param>
    /// <returns>How many there are.</returns>
    public static int Sort(ulong* gpa, ulong set, byte* order)
    {
        int count = 0;
        ulong last = 0;
        bool ascends = true;
        for (ulong rest = set; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            order[count++] = (byte)lane;
            ascends &= gpa[lane] >= last;
            last = gpa[lane];
        }
        if (ascends) return count;
        if (count <= FewLanes || !Vector512.IsHardwareAccelerated) SortByInsertion(gpa, order, count);
        else SortByRank(gpa, set, order);
        return count;
    }

    /// <summary>The scalar form, and the faster one for a few lanes.</summary>
    internal static void SortByInsertion(ulong* gpa, byte* order, int count)
    {
        for (int i = 1; i < count; i++)
        {
            byte lane = order[i];
            ulong page = gpa[lane] >> Paging.PageShift;
            int at = i;
            for (; at > 0 && gpa[order[at - 1]] >> Paging.PageShift > page; at--) order[at] = order[at - 1];
            order[at] = lane;
        }
    }

    /// <summary>The vector form.</summary>
    internal static void SortByRank(ulong* gpa, ulong set, byte* order)
    {
        long* keys = stackalloc long[FaultLanes.Max];
        for (int i = 0; i < FaultLanes.Max; i++) keys[i] = long.MaxValue;
        for (ulong rest = set; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            // An address has at most 52 bits, so page and lane leave the sign free.
            keys[lane] = (long)(gpa[lane] >> Paging.PageShift << LaneBits) | (uint)lane;
        }
        int end = FaultLanes.Max - BitOperations.LeadingZeroCount(set);
        for (ulong rest = set; rest != 0; rest &= rest - 1)
        {
            int lane = BitOperations.TrailingZeroCount(rest);
            Vector512<long> own = Vector512.Create(keys[lane]);
            int rank = 0;
            for (int i = 0; i < end; i += Vector512<long>.Count)
            {
                ulong smaller = Vector512.LessThan(Vector512.Load(keys + i), own).ExtractMostSignificantBits();
                rank += BitOperations.PopCount(smaller);
            }
            order[rank] = (byte)lane;
        }
    }
}
