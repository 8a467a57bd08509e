using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>Walks over what a range shows.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>
    /// The next run of memory in a range: an entry cut to the range. Holes and devices are passed over. The caller
    /// holds the change lock, or is in a consumer slot.
    /// </summary>
    /// <param name="at">Where to look from; the end of what was found.</param>
    /// <param name="end">The first byte behind the range.</param>
    /// <param name="piece">What was found.</param>
    /// <param name="memory">Its object.</param>
    [AllocationFree]
    internal bool TryNextPiece(ref ulong at, ulong end, out MapEntry piece, out VmObject? memory)
    {
        while (at < end && Map.TryFindFrom(at, out piece, out memory, out _) && piece.Start < end)
        {
            ulong from = ulong.Max(at, piece.Start);
            at = ulong.Min(piece.End, end);
            piece.Page = piece.PageAt(from);
            piece.Start = from;
            piece.End = at;
            if (piece.Kind == MapKind.Memory) return true;
        }
        at = end;
        piece = default;
        memory = null;
        return false;
    }
}
