namespace Pagoda.Machine.Replay;

/// <summary>How a replay ended.</summary>
public enum ReplayEnd : byte
{
    /// <summary>With the trace.</summary>
    Complete = 0,

    /// <summary>The trace touches more pages than the guest has.</summary>
    MemoryTooSmall,

    /// <summary>Bytes that were read are not those that were written last: a defect of the engine.</summary>
    ContentWrong,

    /// <summary>A page could not be supplied.</summary>
    Error,
}
