using System;

namespace Pagoda.Perf.Gate;

/// <summary>
/// A fixed piece of work, ready to run as often as wanted. The gate and the benchmarks run the same ones.
/// </summary>
/// <remarks>Everything is set up by the constructor, so that <see cref="Run"/> is the hot path alone.</remarks>
public abstract class Workload : IDisposable
{
    /// <summary>What one operation is, in a few words.</summary>
    public abstract string Operation { get; }

    /// <summary>Operations of one <see cref="Run"/>: the lanes of a batch, the pages of a run.</summary>
    public abstract int OperationsPerRun { get; }

    /// <summary>Whether <see cref="Reset"/> must be called between two runs.</summary>
    public virtual bool IsReset => false;

    /// <summary>Does the work once.</summary>
    public abstract void Run();

    /// <summary>Undoes a run, so that the next finds what it found. Not part of what is measured.</summary>
    public virtual void Reset()
    {
    }

    /// <summary>Frees what the constructor took.</summary>
    public abstract void Dispose();
}
