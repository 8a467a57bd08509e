namespace Pagoda.PageTables;

/// <summary>The memory type of a leaf. The numbers equal the PAT encodings (Intel SDM volume 3, "PAT").</summary>
public enum MemoryType : byte
{
    /// <summary>UC: for device memory.</summary>
    Uncacheable = 0,

    /// <summary>WB: for guest memory.</summary>
    WriteBack = 6,

    /// <summary>UC-, which becomes <see cref="Uncacheable"/>: EPT has no such type.</summary>
    UncacheableMinus = 7,
}
