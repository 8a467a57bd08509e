namespace Pagoda.Machine.Replay;

/// <summary>What an access of a trace does.</summary>
public enum TraceKind : byte
{
    /// <summary>Fetches an instruction.</summary>
    Fetch = 0,

    /// <summary>Reads.</summary>
    Load,

    /// <summary>Writes.</summary>
    Store,

    /// <summary>Reads, then writes the same bytes.</summary>
    Modify,
}
