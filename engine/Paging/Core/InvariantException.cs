using System;

namespace Pagoda.Core;

/// <summary>Something that must always hold did not: a defect of the engine, never of its caller.</summary>
public sealed class InvariantException(string condition) : Exception("Broken invariant: " + condition)
{
    /// <summary>The condition that failed, as written in the source.</summary>
    public string Condition { get; } = condition;
}
