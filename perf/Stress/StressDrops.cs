using System;
using System.Threading;

namespace Pagoda.Perf.Stress;

/// <summary>
/// What memory must hold whose content is dropped beside its use: for each writer the word that it stored last, or zero
/// once a drop took it.
/// </summary>
/// <remarks>
/// The drops of a page are counted when they begin and when they end, by the one who drops. A word is there until a
/// drop begins that had not ended before it was stored, and cannot be there behind one that began after the store.
/// </remarks>
internal sealed class StressDrops
{
    /// <summary>Pages that are dropped, shown at <see cref="StressWorld.Dropped"/> by both guests.</summary>
    public const ulong Pages = 64;

    private readonly StressLedger _ledger;
    private readonly long[] _begun = new long[Pages];
    private readonly long[] _ended = new long[Pages];
    private readonly Word[][] _words = new Word[StressLedger.Writers][];

    public StressDrops(StressLedger ledger)
    {
        _ledger = ledger;
        for (int writer = 0; writer < StressLedger.Writers; writer++) _words[writer] = new Word[Pages];
    }

    /// <summary>Drops, of a page each.</summary>
    public long Drops { get; private set; }

    /// <summary>Where a writer's word of a page lies.</summary>
    public static ulong GpaOf(int writer, ulong page) =>
        StressWorld.Dropped + (page << 12) + StressLedger.OffsetOf(writer);

    /// <summary>The content of some pages is about to be dropped.</summary>
    public void Begin(ulong first, ulong count)
    {
        for (ulong page = first; page < first + count; page++) Volatile.Write(ref _begun[page], _begun[page] + 1);
    }

    /// <summary>It was dropped.</summary>
    public void End(ulong first, ulong count)
    {
        for (ulong page = first; page < first + count; page++) Volatile.Write(ref _ended[page], _ended[page] + 1);
        Drops += (long)count;
    }

    /// <summary>Drops of a page that have ended: asked in front of an access.</summary>
    public long Ended(ulong page) => Volatile.Read(ref _ended[page]);

    /// <summary>Behind a store.</summary>
    /// <param name="writer">Whose word it was.</param>
    /// <param name="page">The page.</param>
    /// <param name="value">What was stored; never 0.</param>
    /// <param name="ended">Drops that had ended in front of it.</param>
    public void Stored(int writer, ulong page, long value, long ended)
    {
        Interlocked.MemoryBarrier();
        _words[writer][page] = new Word { Last = value, EndedBefore = ended, BegunBehind = Begun(page) };
    }

    /// <summary>Behind a load: compares what a writer found in its word with what may be there.</summary>
    /// <param name="writer">Whose word it is.</param>
    /// <param name="page">The page.</param>
    /// <param name="found">What was there.</param>
    /// <param name="ended">Drops that had ended in front of the load.</param>
    public void Verify(int writer, ulong page, long found, long ended)
    {
        ref Word word = ref _words[writer][page];
        bool isRight = found == word.Last
            ? found == 0 || ended <= word.BegunBehind
            : found == 0 && Begun(page) > word.EndedBefore;
        if (!isRight)
        {
            _ledger.Fail("dropped page " + page + ", writer " + writer + ": found " + found + ", stored last "
                + word.Last + "; " + ended + " drops had ended, and " + Begun(page) + " have begun; at the store "
                + word.EndedBefore + " and " + word.BegunBehind);
        }
        if (found == 0) word = default;
        else word.EndedBefore = ended;
    }

    /// <summary>Compares a whole page, when everybody has stopped.</summary>
    public void Verify(ulong page, ReadOnlySpan<byte> bytes)
    {
        for (int writer = 0; writer < StressLedger.Writers; writer++)
        {
            long found = BitConverter.ToInt64(bytes[(int)StressLedger.OffsetOf(writer)..]);
            Verify(writer, page, found, Ended(page));
        }
    }

    private long Begun(ulong page) => Volatile.Read(ref _begun[page]);

    private struct Word
    {
        public long Last;
        public long EndedBefore;
        public long BegunBehind;
    }
}
