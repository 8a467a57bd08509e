using System;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

/// <summary>A small physical memory for hand-made tables; an access past its end ends the test.</summary>
internal sealed unsafe class TableImage(int pages) : IDisposable
{
    private readonly GuardedRegion _region = new(pages * (int)Paging.PageBytes, (int)Paging.PageBytes);

    public ulong Bytes => (ulong)_region.Length;

    public ImageMemory Memory => new(_region.Base, Bytes);

    public ImageMemory ReadOnly => new(_region.Base, Bytes, isReadOnly: true);

    public ArenaMemory Arena => new(_region.Base, Bytes);

    public byte* Base => _region.Base;

    /// <summary>The 8-byte entry of a table at a physical address.</summary>
    public ref ulong Entry(ulong table, ulong index) => ref *(ulong*)(_region.Base + table + index * sizeof(ulong));

    /// <summary>The 4-byte entry of a table at a physical address.</summary>
    public ref uint Entry32(ulong table, ulong index) => ref *(uint*)(_region.Base + table + index * sizeof(uint));

    public WalkResult Walk(in WalkFormat format, ulong address, Prot access, bool user = false,
        WalkKind kind = WalkKind.FinalAccess)
    {
        ImageMemory memory = Memory;
        Walker.Walk(ref memory, in format, address, access, user, kind, out WalkResult result);
        return result;
    }

    public WalkResult Walk2D(in WalkFormat nested, in WalkFormat guest, ulong gva, Prot access, bool user = false)
    {
        ImageMemory memory = Memory;
        Walker.Walk2D(ref memory, in nested, in guest, gva, access, user, out WalkResult result, out _);
        return result;
    }

    public void Dispose() => _region.Dispose();
}
