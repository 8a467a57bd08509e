namespace Pagoda.Machine.Cpu;

/// <summary>How an out-of-line micro-op ended.</summary>
internal enum Outcome : byte
{
    /// <summary>Go on with the next micro-op.</summary>
    Next = 0,

    /// <summary>The instruction is done and RIP is set: look the next block up.</summary>
    Jump,

    /// <summary>The instruction did nothing; what is pending in the state says why.</summary>
    Fault,

    /// <summary>The instruction is done and Run returns.</summary>
    Exit,
}

/// <summary>Why an instruction could not finish.</summary>
internal enum Pending : uint
{
    /// <summary>An exception for the guest.</summary>
    Exception = 0,

    /// <summary>Nothing is wrong; execute the instruction again (its translations went stale halfway).</summary>
    Restart,

    /// <summary>Leave Run with the exit that is set; RIP is at the instruction.</summary>
    Exit,
}
