using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.GuestAccess;

namespace Pagoda;

/// <summary>Keeping memory in its place, as a device needs it that reaches it by itself.</summary>
public sealed unsafe partial class Guest
{
    /// <summary>
    /// Wires a range: all of it is brought into memory with all the rights that it has, never leaves, never faults
    /// again and cannot be unmapped, moved, discarded or given no right until it is unwired. Wirings are counted. A
    /// guest that is disposed takes its wirings along.
    /// </summary>
    /// <remarks>Its writable pages count as written. Pages that were brought in before it failed stay in memory, but
    /// are not wired.</remarks>
    /// <param name="gpa">Page aligned; the range is mapped throughout, by memory.</param>
    /// <param name="length">Bytes, whole pages; may span several mappings.</param>
    /// <exception cref="MapException">The range cannot be wired (a hole, a device, no right, no memory, a lost page):
    /// <see cref="MapException.Address"/> says where. It is as it was before.</exception>
    public void Wire(Gpa gpa, ulong length)
    {
        VmspaceConsumer walker = TakeWalker(out int index);
        try
        {
            GuestWire.Wire(walker, gpa.Value, length);
        }
        finally
        {
            GiveWalker(index);
        }
    }

    /// <summary>Takes one wiring away from a range: part of what was wired, or all of it.</summary>
    /// <param name="gpa">Page aligned; the range is wired throughout.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <exception cref="MapException">The range is none, or part of it is not wired; nothing was changed.</exception>
    public void Unwire(Gpa gpa, ulong length) => Space.Unwire(gpa.Value, length);
}
