using System;
using Pagoda.Pagers;

namespace Pagoda.Tests.Workload;

/// <summary>
/// A swap store whose writes are interrupted: what other threads would do while a page is on its way out happens in
/// front of the write and behind it, on the same thread, so that a run depends on its seed alone.
/// </summary>
internal sealed unsafe class InterruptedStore(ISwapStore store) : ISwapStore
{
    private bool _isInterrupted;

    public Action? Interrupt { get; set; }

    public uint Slots => store.Slots;

    public ulong Nonce => store.Nonce;

    public int Read(uint first, byte** pages, int count, out int done) => store.Read(first, pages, count, out done);

    public int Write(uint first, byte** pages, int count, out int done)
    {
        RunInterrupt();
        int errno = store.Write(first, pages, count, out done);
        RunInterrupt();
        return errno;
    }

    private void RunInterrupt()
    {
        // What is interrupted may itself have to make room, and write.
        if (_isInterrupted) return;
        _isInterrupted = true;
        Interrupt?.Invoke();
        _isInterrupted = false;
    }
}
