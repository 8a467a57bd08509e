using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Takes the write right, and M with it, from every mapping of a range; other rights stay. The next write to a page
    /// is a full fault. Inside a consumer slot; takes each window's lock in turn.
    /// </summary>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="frames">Gives frames for the demotion of superpages at the edges.</param>
    /// <param name="sink">Is told of every leaf that lost the right, or may have.</param>
    public void RemoveWrite<TSink>(ulong gpa, ulong length, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct =>
        Strip(gpa, length, _format.Writable | _format.Modified | PteFormat.WriteParked, 0, frames, ref sink);
}
