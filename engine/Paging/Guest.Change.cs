using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda;

/// <summary>Changing what is mapped. When a member returns no consumer has an old translation.</summary>
public sealed unsafe partial class Guest
{
    /// <summary>Unmaps everything in a range, holes allowed. Private memory in it is freed, held frames at their
    /// release.</summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <exception cref="MapException">The range is none, nothing in it is mapped, or part of it is wired; nothing was
    /// changed.</exception>
    public void Unmap(Gpa gpa, ulong length) => Space.Unmap(gpa.Value, length);

    /// <summary>Moves what is mapped in a range to another one, with its content.</summary>
    /// <param name="from">Page aligned; the range is mapped throughout.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="to">Page aligned; the range is free.</param>
    /// <exception cref="MapException">The range cannot be moved so, or is wired in part; nothing was changed.
    /// </exception>
    public void Remap(Gpa from, ulong length, Gpa to) => Space.Remap(from.Value, length, to.Value);

    /// <summary>Gives a range other rights.</summary>
    /// <param name="gpa">Page aligned; the range is mapped throughout.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="prot">The rights; none at all makes every access a protection fault.</param>
    /// <exception cref="MapException">The range cannot have these rights, or shall have none and is wired in part;
    /// nothing was changed.</exception>
    public void Protect(Gpa gpa, ulong length, Prot prot) => Space.Protect(gpa.Value, length, prot);
}
