using System.Threading;

namespace Pagoda.Core;

/// <summary>
/// A thread of the engine, made at set-up and ended by whoever made it. What it does allocates nothing managed; what it
/// throws ends the process, like everything that a thread without a caller throws.
/// </summary>
public abstract class Worker
{
    private readonly Thread _thread;

    /// <summary>Makes the thread; it does not run yet.</summary>
    /// <param name="name">What debuggers show.</param>
    protected Worker(string name) => _thread = new Thread(Work) { IsBackground = true, Name = name };

    /// <summary>Lets it run.</summary>
    public void Start() => _thread.Start();

    /// <summary>Waits until its work has returned. Somebody has told it to.</summary>
    public void Join() => _thread.Join();

    /// <summary>The work: returns when it is told to end.</summary>
    protected abstract void Work();
}
