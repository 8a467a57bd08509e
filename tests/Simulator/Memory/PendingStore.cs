namespace Pagoda.Simulator.Memory;

/// <summary>What a store in a buffer is.</summary>
internal enum StoreKind : byte
{
    /// <summary>Waits for every older store of its thread.</summary>
    Release = 0,

    /// <summary>Waits, where memory is weak, for older stores to the same bytes alone.</summary>
    Plain,

    /// <summary>A plain store of a guest, which is checked when it becomes visible.</summary>
    Guest,

    /// <summary>Zeros past the caches: ordered by a store fence alone.</summary>
    Streaming,
}

/// <summary>A store that its own thread sees and nobody else.</summary>
internal unsafe struct PendingStore
{
    public byte* Address;
    public ulong Value;
    public int Bytes;
    public StoreKind Kind;

    /// <summary>Of a guest's store: which translation it went through.</summary>
    public TranslatedAccess Access;

    public readonly bool Overlaps(byte* address, int bytes) =>
        Address < address + bytes && address < Address + Bytes;
}

/// <summary>The translation of one access of a guest, as it was when its TLB got it.</summary>
internal readonly record struct TranslatedAccess(int Actor, int Page, uint Frame, uint Life, int Takings, int Word);
