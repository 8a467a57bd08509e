using System;

namespace Pagoda.Machine.Replay;

/// <summary>Accesses in the order of a trace. One thread.</summary>
public interface ITraceReader
{
    /// <summary>Reads on.</summary>
    /// <param name="records">Receives the next accesses.</param>
    /// <returns>How many; 0 at the end alone.</returns>
    /// <exception cref="TraceException">The trace is damaged.</exception>
    /// <exception cref="System.IO.IOException">It cannot be read on.</exception>
    int Read(Span<TraceRecord> records);

    /// <summary>Lines that are no accesses; 0 for forms without lines.</summary>
    ulong SkippedLines { get; }
}
