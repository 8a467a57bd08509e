using Pagoda.Core;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;

namespace Pagoda.Simulator.Checks;

/// <summary>What every word of a guest's memory is, step by step, and which translations are still good.</summary>
/// <remarks>
/// Each page has a few words: word 0 is counted up by locked operations of everybody, each other one belongs to one
/// actor, who alone stores to it. A word's value is the last store that became visible, whatever frames and slots the
/// page went through. A call that takes something away and waits is a <i>taking</i>: a translation that was whole
/// before it began is not used behind its end. Where content is dropped of pages that stay mapped, nobody knows what a
/// word that is written meanwhile becomes, until it is written again.
/// </remarks>
internal sealed class GuestShadow(Stage stage, int pages) : IStoreObserver
{
    /// <summary>Words of a page.</summary>
    public const int Words = 8;

    /// <summary>The word that the host's copies write, as one device makes them.</summary>
    public const int CopiedWord = Words - 1;

    private readonly Stage _stage = stage;
    private readonly ulong[] _visible = new ulong[pages * Words];
    private readonly ulong[] _issued = new ulong[pages * Words];
    private readonly int[] _began = new int[pages];
    private readonly int[] _ended = new int[pages];
    private readonly int[] _discards = new int[pages];
    private readonly bool[] _unsettled = new bool[pages];
    private readonly bool[] _touched = new bool[pages * Words];
    private readonly bool[] _vague = new bool[pages * Words];
    private readonly bool[] _frozen = new bool[pages];
    private readonly bool[] _lost = new bool[pages];
    private readonly long[] _writtenAt = new long[pages];
    private readonly long[] _reportedAt = new long[pages];
    private readonly int[] _writers = new int[pages];
    private readonly long[] _hostBegan = new long[pages];
    private readonly long[] _hostEnded = new long[pages];
    private readonly long[] _hostWrittenAt = new long[pages];
    private readonly Copy[] _copies = new Copy[pages];
    private long _clock;

    private enum Copy : byte
    {
        Known = 0,
        UnderWay,
        Unknown,
    }

    /// <summary>Pages.</summary>
    public int Pages { get; } = pages;

    /// <summary>Takings of a page that have begun: what a translation is filled with.</summary>
    public int Began(int page) => _began[page];

    /// <summary>Takings of a page's content, begun or done.</summary>
    public int Discards(int page) => _discards[page];

    /// <summary>The pager could not bring the page back, as it was told to.</summary>
    public void Lose(int page) => _lost[page] = true;

    public bool IsLost(int page) => _lost[page];

    /// <summary>A call that takes translations of a page away begins.</summary>
    public void BeginTaking(int page, bool discards)
    {
        _began[page]++;
        if (!discards) return;
        _discards[page]++;
        _unsettled[page] = true;
        for (int word = 0; word < Words; word++) _touched[page * Words + word] = false;
    }

    /// <summary>It has returned.</summary>
    /// <param name="page">The page.</param>
    /// <param name="staysMapped">Whoever came meanwhile may have found the page with its content, or without.</param>
    public void EndTaking(int page, bool staysMapped = false)
    {
        _ended[page] = _began[page];
        if (!_unsettled[page]) return;
        _unsettled[page] = false;
        _lost[page] = false;
        _writtenAt[page] = 0;
        _hostWrittenAt[page] = 0;
        for (int word = page * Words; word < (page + 1) * Words; word++)
        {
            _vague[word] = staysMapped && _touched[word];
            if (_vague[word]) continue;
            _visible[word] = 0;
            _issued[word] = 0;
        }
        if (_copies[page] == Copy.Unknown && !staysMapped) _copies[page] = Copy.Known;
    }

    /// <summary>A copy into a page begins: until its end the word may have either value.</summary>
    public void BeginCopy(int page) => _copies[page] = Copy.UnderWay;

    /// <summary>It has ended. Nobody knows what it wrote where the page was taken away meanwhile.</summary>
    public void EndCopy(int page, bool isKnown, ulong value)
    {
        _copies[page] = isKnown ? Copy.Known : Copy.Unknown;
        if (!isKnown) return;
        _visible[page * Words + CopiedWord] = value;
        _issued[page * Words + CopiedWord] = value;
    }

    /// <summary>From here on nobody may write the page, or somebody may again.</summary>
    public void Freeze(int page, bool frozen) => _frozen[page] = frozen;

    /// <summary>A host that writes, and marks what it wrote itself, has begun.</summary>
    public void BeginHostWrite(int page)
    {
        _writers[page]++;
        _hostBegan[page] = ++_clock;
    }

    /// <summary>It has ended, and its marks are there.</summary>
    public void EndHostWrite(int page, bool hasWritten)
    {
        _writers[page]--;
        _hostEnded[page] = ++_clock;
        // A harvest since the beginning may have reported a copy. Stores through a hold have moments of their own.
        if (hasWritten) _hostWrittenAt[page] = long.Max(_hostWrittenAt[page], _hostBegan[page]);
    }

    /// <summary>A store of the word's owner goes into its buffer.</summary>
    public void Issue(in TranslatedAccess access, ulong value)
    {
        CheckUse(in access, "stored");
        _issued[access.Page * Words + access.Word] = value;
        _touched[access.Page * Words + access.Word] = true;
    }

    /// <inheritdoc/>
    public void Visible(in PendingStore store)
    {
        TranslatedAccess access = store.Access;
        CheckUse(in access, "stored");
        if (access.Takings < 0 && _discards[access.Page] != -access.Takings - 1) return;
        // A hold outlives a change of rights.
        if (access.Takings >= 0) RequireWritable(access.Page);
        Write(access.Page, access.Word, store.Value, isHost: access.Takings < 0);
    }

    /// <summary>A guest writes the page now: it must be allowed to.</summary>
    public void RequireWritable(int page)
    {
        if (_frozen[page]) _stage.Scheduler.Fail("page " + page + " was written while it allowed no writes");
    }

    /// <summary>A word has its new value in this step.</summary>
    public void Write(int page, int word, ulong value, bool isHost = false)
    {
        _stage.Note("page " + page + ", word " + word + " becomes " + value.ToString("X"));
        _touched[page * Words + word] = true;
        if (_unsettled[page]) return;
        _visible[page * Words + word] = value;
        _vague[page * Words + word] = false;
        (isHost ? _hostWrittenAt : _writtenAt)[page] = ++_clock;
    }

    /// <summary>A load gave a value in this step.</summary>
    public void Loaded(in TranslatedAccess access, ulong value)
    {
        CheckUse(in access, "loaded");
        if (access.Takings < 0 && _discards[access.Page] != -access.Takings - 1) return;
        Expect(access.Page, access.Word, value, isOwner: access.Word == access.Actor);
    }

    /// <summary>What a word must be, to its owner or to anybody else.</summary>
    public void Expect(int page, int word, ulong value, bool isOwner)
    {
        bool isCopied = word == CopiedWord && _copies[page] != Copy.Known;
        if (_unsettled[page] || _lost[page] || _vague[page * Words + word] || isCopied) return;
        ulong expected = isOwner ? _issued[page * Words + word] : _visible[page * Words + word];
        if (value == expected) return;
        _stage.Scheduler.Fail("page " + page + ", word " + word + " is " + value.ToString("X") + ", not "
            + expected.ToString("X"));
    }

    /// <summary>The value that others see.</summary>
    public ulong Visible(int page, int word) => _visible[page * Words + word];

    /// <summary>The word's value may be either for a while.</summary>
    public bool IsSettled(int page) => !_unsettled[page] && !_lost[page];

    /// <summary>The moment at which a harvest begins.</summary>
    public long Now => _clock;

    /// <summary>A harvest that began at a moment has reported, or not, a page.</summary>
    public void Harvested(int page, long began, bool reported)
    {
        if (reported)
        {
            _reportedAt[page] = ++_clock;
            return;
        }
        bool byGuest = _writtenAt[page] > _reportedAt[page] && _writtenAt[page] <= began;
        // A host's marks are there when it has ended.
        bool byHost = _hostWrittenAt[page] > _reportedAt[page] && _hostEnded[page] <= began && _writers[page] == 0;
        if ((byGuest || byHost) && !_unsettled[page] && !_lost[page])
            _stage.Scheduler.Fail("a write to page " + page + " was reported by no harvest");
    }

    /// <summary>An access through a translation, in the step in which it takes effect.</summary>
    public void CheckUse(in TranslatedAccess access, string what)
    {
        if (_stage.Watch.LifeOf(access.Frame) != access.Life)
        {
            _stage.Scheduler.Fail("actor " + access.Actor + " " + what + " through a translation of page " + access.Page
                + " to frame " + access.Frame + ", which was recycled since");
        }
        if (access.Takings >= 0 && _ended[access.Page] > access.Takings)
        {
            _stage.Scheduler.Fail("actor " + access.Actor + " " + what + " through a translation of page " + access.Page
                + " that was taken away, and waited for");
        }
    }
}
