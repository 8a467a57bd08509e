using System;
using Pagoda.Pagers;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Memory;

/// <summary>A swap store whose transfers end in the order of the schedule, and fail when the seed says so.</summary>
internal sealed unsafe class SeededStore(uint slots, Rng choices, int failsOneIn) : ISwapStore
{
    private const int PageBytes = 4096;
    private const int Eio = 5;

    private readonly byte[] _content = new byte[(slots + 1) * PageBytes];
    private readonly int _failsOneIn = failsOneIn;
    private Rng _choices = choices;

    public uint Slots => slots;

    public ulong Nonce => 0x0123_4567_89AB_CDEF;

    /// <summary>Reads that were made to fail: each loses a page.</summary>
    public int FailedReads { get; private set; }

    public int Read(uint first, byte** pages, int count, out int done)
    {
        for (done = 0; done < count; done++)
        {
            Yield();
            if (Fails())
            {
                FailedReads++;
                return Eio;
            }
            SlotAt(first + (uint)done).CopyTo(new Span<byte>(pages[done], PageBytes));
        }
        Yield();
        return 0;
    }

    public int Write(uint first, byte** pages, int count, out int done)
    {
        for (done = 0; done < count; done++)
        {
            Yield();
            if (Fails()) return Eio;
            new ReadOnlySpan<byte>(pages[done], PageBytes).CopyTo(SlotAt(first + (uint)done));
        }
        Yield();
        return 0;
    }

    /// <summary>What a slot holds.</summary>
    public Span<byte> SlotAt(uint slot) => _content.AsSpan((int)slot * PageBytes, PageBytes);

    private bool Fails() => _failsOneIn != 0 && SimThread.Current is not null && _choices.OneIn(_failsOneIn);

    private static void Yield()
    {
        if (SimThread.Current is { } thread) thread.Scheduler.Point(thread);
    }
}
