namespace Pagoda.Machine;

/// <summary>How a run ended.</summary>
public enum RunEnd : byte
{
    /// <summary>The awaited text was sent over the serial line.</summary>
    Until,

    /// <summary>All processors halted, and nothing can wake one.</summary>
    Halt,

    /// <summary>The time limit passed.</summary>
    Timeout,

    /// <summary>A fault while a double fault was delivered: a processor shut down.</summary>
    TripleFault,

    /// <summary>The machine could not go on; the result's message says why.</summary>
    Error,
}
