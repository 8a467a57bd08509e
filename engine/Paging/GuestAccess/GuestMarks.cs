using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.GuestAccess;

/// <summary>What a write by the host leaves on a frame, where a write by the guest would set M.</summary>
[AllocationFree]
internal static class GuestMarks
{
    /// <summary>The content is, or will be, no longer what was stored, reported or decoded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Written(FrameTable frames, uint pfn)
    {
        frames.SetDirty(pfn);
        if (frames.HasCode(pfn)) frames.RaiseCodeVersion(pfn);
    }
}
