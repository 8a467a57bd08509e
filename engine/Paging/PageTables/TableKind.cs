namespace Pagoda.PageTables;

/// <summary>The hardware format of a page-table tree.</summary>
public enum TableKind : byte
{
    /// <summary>Ordinary 64-bit x86 tables.</summary>
    X86,

    /// <summary>Intel's extended page tables.</summary>
    Ept,

    /// <summary>AMD's nested page tables (rapid virtualization indexing).</summary>
    Rvi,
}
