using System;
using System.Collections.Generic;
using System.Threading;
using Pagoda.Pagers;

namespace Pagoda.Tests.Support;

/// <summary>A swap store in front of another that fails, falls short, damages and waits as a test says.</summary>
public sealed unsafe class FaultyStore(ISwapStore inner, SeededGenerator? random = null) : ISwapStore
{
    /// <summary>Input/output error.</summary>
    public const int Eio = 5;

    /// <summary>No space left.</summary>
    public const int Enospc = 28;

    private const int PageBytes = 4096;
    private readonly HashSet<uint> _unreadable = [];
    private readonly HashSet<uint> _flipped = [];
    private readonly Lock _lock = new();

    /// <inheritdoc/>
    public uint Slots => inner.Slots;

    /// <inheritdoc/>
    public ulong Nonce => inner.Nonce;

    /// <summary>One call in so many fails or falls short at random; 0 for none.</summary>
    public int FailOneIn { get; set; }

    /// <summary>Slots that may still be damaged at random, when they are written.</summary>
    public int DamagesLeft { get; set; }

    /// <summary>Pages that were read from a damaged slot.</summary>
    public int DamagedReads { get; private set; }

    /// <summary>Write calls that failed.</summary>
    public int FailedWrites { get; private set; }

    /// <summary>Calls that were short without an error.</summary>
    public int ShortCalls { get; private set; }

    /// <summary>Errno of every write; 0 for none.</summary>
    public int WriteError { get; set; }

    /// <summary>Every call waits for this before it does anything, behind <see cref="Entered"/>.</summary>
    public ManualResetEventSlim? Gate { get; set; }

    /// <summary>A call is about to wait at the gate.</summary>
    public SemaphoreSlim Entered { get; } = new(0);

    /// <summary>Reads of this slot fail from here on, until it is written.</summary>
    public void MakeUnreadable(uint slot) => _unreadable.Add(slot);

    /// <summary>Reads of this slot have one bit wrong from here on, until it is written.</summary>
    public void Flip(uint slot) => _flipped.Add(slot);

    /// <inheritdoc/>
    public int Read(uint first, byte** pages, int count, out int done)
    {
        WaitAtGate();
        lock (_lock)
        {
            int wanted = Readable(first, count, out int errno);
            done = 0;
            if (wanted != 0 && inner.Read(first, pages, wanted, out done) is int failed and not 0) return failed;
            for (int i = 0; i < done; i++)
            {
                if (!_flipped.Contains(first + (uint)i)) continue;
                pages[i][(first + (uint)i) * 7 % PageBytes] ^= 0x10;
                DamagedReads++;
            }
            return errno;
        }
    }

    /// <inheritdoc/>
    public int Write(uint first, byte** pages, int count, out int done)
    {
        WaitAtGate();
        lock (_lock)
        {
            int wanted = Writable(count, out int errno);
            if (errno != 0) FailedWrites++;
            done = 0;
            if (wanted != 0 && inner.Write(first, pages, wanted, out done) is int failed and not 0) return failed;
            for (int i = 0; i < done; i++) Damage(first + (uint)i);
            return errno;
        }
    }

    private void WaitAtGate()
    {
        ManualResetEventSlim? gate = Gate;
        if (gate is null) return;
        Entered.Release();
        gate.Wait();
    }

    private void Damage(uint slot)
    {
        _unreadable.Remove(slot);
        _flipped.Remove(slot);
        if (random is null || DamagesLeft == 0 || !random.OneIn(30)) return;
        DamagesLeft--;
        (random.OneIn(2) ? _unreadable : _flipped).Add(slot);
    }

    /// <summary>How many pages a read shall move, and the error behind them. An error loses its page.</summary>
    private int Readable(uint first, int count, out int errno)
    {
        errno = Eio;
        for (int i = 0; i < count; i++)
        {
            if (!_unreadable.Contains(first + (uint)i)) continue;
            DamagedReads++;
            return i;
        }
        bool fails = random is not null && FailOneIn != 0 && random.OneIn(FailOneIn);
        if (fails && DamagesLeft != 0 && random!.OneIn(4))
        {
            DamagesLeft--;
            DamagedReads++;
            return random.Below(count);
        }
        errno = 0;
        if (!fails || count == 1) return count;
        ShortCalls++;
        return random!.Between(1, count - 1);
    }

    /// <summary>How many pages a write shall move, and the error behind them.</summary>
    private int Writable(int count, out int errno)
    {
        errno = WriteError;
        if (errno != 0) return 0;
        if (random is null || FailOneIn == 0 || !random.OneIn(FailOneIn)) return count;
        int wanted = random.Below(count);
        bool isShort = wanted != 0 && random.OneIn(2);
        if (isShort) ShortCalls++;
        else errno = random.OneIn(2) ? Eio : Enospc;
        return wanted;
    }
}
