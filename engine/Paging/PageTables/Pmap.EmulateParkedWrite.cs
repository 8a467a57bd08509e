using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// The first write, under emulation, to a superpage that has its write right parked: demotes it, which gives its
    /// leaves the right back, and sets A and M of the one that was written. Inside a consumer slot; takes the window's
    /// lock.
    /// </summary>
    /// <remarks>
    /// The other leaves have no M, so hardware cannot write there before each has been asked for in its turn: a page
    /// that is read first and written later costs one emulation, whether a superpage was made of it or not.
    /// </remarks>
    /// <param name="gpa">Any address, for which <see cref="EmulateAccess"/> said so.</param>
    /// <param name="access">What the guest did; a write.</param>
    /// <param name="frames">Gives the frame of the new table.</param>
    /// <returns>
    /// SetModified; Denied without a frame, with nothing changed; WriteParked when the superpage is gone or has
    /// changed, and everything must be looked at again.
    /// </returns>
    public AdEmulation EmulateParkedWrite(ulong gpa, Prot access, FrameCache frames)
    {
        Invariant.Require(_format.EmulatesAd);
        Invariant.Require((access & Prot.Write) != 0);
        if (!TryLockExisting(gpa, out WindowLock window, out _)) return AdEmulation.WriteParked;
        AdEmulation result = AdEmulation.WriteParked;
        ulong entry = Shared.Load(window.Entry);
        var sink = default(NoSink);
        bool isParked = (entry & PteFormat.WriteParked) != 0 && _format.GrantsUnparked(entry, access);
        while (isParked && (entry & _format.PageSize) != 0)
        {
            if (DemoteLocked(ref window, gpa, frames, ref sink, removeInstead: false) != PmapStatus.Ok)
            {
                result = AdEmulation.Denied;
                break;
            }
            entry = Shared.Load(window.Entry);
        }
        if (isParked && result != AdEmulation.Denied)
        {
            SetModified(TableAt(TablePfn(entry)) + IndexAt(gpa, 1));
            result = AdEmulation.SetModified;
        }
        Unlock(in window);
        return result;
    }

    /// <summary>Sets A and M of a writable leaf, under its window's lock.</summary>
    private void SetModified(ulong* cell)
    {
        ulong old = Shared.Load(cell);
        while (true)
        {
            Invariant.Assert((old & _format.Writable) != 0);
            ulong found = Shared.CompareExchange(cell, _format.WithAccessed(old) | _format.Modified, old);
            if (found == old) return;
            old = found;
        }
    }
}
