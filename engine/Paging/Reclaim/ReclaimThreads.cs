using System;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>The threads of a page daemon: the one that chooses, and those that write. Made and ended with it.</summary>
internal sealed class ReclaimThreads : IDisposable
{
    private readonly PageDaemon _daemon;
    private readonly Worker _chooser;
    private readonly Worker[] _writers;

    /// <summary>Makes and starts them.</summary>
    /// <param name="daemon">Ready to run.</param>
    /// <param name="writers">At least 1.</param>
    public ReclaimThreads(PageDaemon daemon, int writers)
    {
        _daemon = daemon;
        _chooser = new Chooser(daemon);
        _writers = new Worker[writers];
        for (int i = 0; i < writers; i++) _writers[i] = new Writer(daemon);
        foreach (Worker writer in _writers) writer.Start();
        _chooser.Start();
    }

    /// <summary>Ends them: what they have begun is finished.</summary>
    public void Dispose()
    {
        _daemon.EndChoosing();
        _chooser.Join();
        // Nobody hands anything over any more: the writers end behind what they have.
        _daemon.EndWriting();
        foreach (Worker writer in _writers) writer.Join();
    }

    private sealed class Chooser(PageDaemon daemon) : Worker("pagoda-reclaim")
    {
        protected override void Work() => daemon.Choose();
    }

    private sealed class Writer(PageDaemon daemon) : Worker("pagoda-writer")
    {
        protected override void Work() => daemon.Write();
    }
}
