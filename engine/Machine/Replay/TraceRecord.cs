using Pagoda.Core;

namespace Pagoda.Machine.Replay;

/// <summary>One access of a trace: 16 bytes.</summary>
/// <param name="Address">The first byte, in the traced program's own space.</param>
/// <param name="Size">Bytes, 1 to <see cref="SizeMax"/>.</param>
/// <param name="Kind">What it does.</param>
public readonly record struct TraceRecord(ulong Address, ushort Size, TraceKind Kind)
{
    /// <summary>The most bytes of one access: a page, so that it touches two at most.</summary>
    public const int SizeMax = (int)Paging.PageBytes;
}
