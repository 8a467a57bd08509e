using Pagoda.Core;

namespace Pagoda.Faults;

/// <summary>
/// What the pipeline knows of each lane between its stages, by column. It lives on the stack, uninitialised.
/// </summary>
/// <remarks>Entry and Level are written by the probe, the rest by Locate, before any later stage reads them.</remarks>
[AllocationFree]
internal unsafe struct FaultLanes
{
    /// <summary>Lanes of one pass; a longer batch takes several. A set of lanes is one 64-bit word.</summary>
    public const int Max = 64;

    /// <summary>The leaf that the probe found; 0 for none.</summary>
    public fixed ulong Entry[Max];

    /// <summary>The leaf's level.</summary>
    public fixed byte Level[Max];

    /// <summary>The lanes in ascending order of their pages.</summary>
    public fixed byte Order[Max];

    /// <summary>The page's index in its object; of a device, its HPA in pages.</summary>
    public fixed ulong Page[Max];

    /// <summary>The page's word, a pointer; 0 when its window has no words yet.</summary>
    public fixed ulong Word[Max];

    /// <summary>The frame that a claimed page is read into, by number; 0 for none.</summary>
    public fixed uint Frame[Max];

    /// <summary>The object, by its number; 0 for a device.</summary>
    public fixed uint Object[Max];

    /// <summary>The rights of the map entry, a <see cref="Prot"/>.</summary>
    public fixed byte Prot[Max];

    /// <summary>The accesses of the lane and of those folded onto it, a <see cref="Prot"/>.</summary>
    public fixed byte Access[Max];

    /// <summary>Of a folded lane, the lane that stands for it.</summary>
    public fixed byte Leader[Max];

    /// <summary>Pages read along with those that were asked for, at most.</summary>
    public const int AheadMax = 15;

    /// <summary>Of a page read ahead: its word, a pointer: Busy, and ours.</summary>
    public fixed ulong AheadWord[AheadMax];

    /// <summary>Its index in the object.</summary>
    public fixed ulong AheadPage[AheadMax];

    /// <summary>Its frame.</summary>
    public fixed uint AheadFrame[AheadMax];

    /// <summary>The lane that it came along with.</summary>
    public fixed byte AheadLane[AheadMax];
}
