using System;

namespace Pagoda.Machine.Replay;

/// <summary>A trace that cannot be read. The message says where in it, what is wrong and what to do.</summary>
/// <param name="message">One line.</param>
public sealed class TraceException(string message) : Exception(message);
