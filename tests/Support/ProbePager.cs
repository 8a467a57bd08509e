using System;
using System.Collections.Generic;
using System.Threading;
using Pagoda.Pagers;

namespace Pagoda.Tests.Support;

/// <summary>
/// A pager that tells what it was asked, fills pages with their number, and fails or waits when told to.
/// </summary>
public sealed class ProbePager : IPager
{
    /// <summary>The pages of each call.</summary>
    public List<ulong[]> Calls { get; } = [];

    /// <summary>Pages that cannot be read.</summary>
    public HashSet<ulong> Broken { get; } = [];

    /// <summary>Throw instead of reading.</summary>
    public bool Throws { get; set; }

    /// <summary>Set when a call has begun; the call then waits for <see cref="Go"/>.</summary>
    public ManualResetEventSlim? Reading { get; set; }

    /// <summary>Lets waiting calls go on.</summary>
    public ManualResetEventSlim Go { get; } = new();

    /// <summary>What a page holds.</summary>
    public static byte ByteOf(ulong page) => (byte)(page * 7 + 1);

    /// <inheritdoc/>
    public void Read(in PagerBatch batch)
    {
        lock (Calls) Calls.Add(batch.Pages.ToArray());
        if (Reading is not null)
        {
            Reading.Set();
            Go.Wait();
        }
        if (Throws) throw new InvalidOperationException("the store is gone");
        for (int lane = 0; lane < batch.Count; lane++)
        {
            if (Broken.Contains(batch.Pages[lane])) continue;
            batch.Bytes(lane).Fill(ByteOf(batch.Pages[lane]));
            batch.Status[lane] = PagerStatus.Ok;
        }
    }

    /// <inheritdoc/>
    public void Write(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Error);

    /// <inheritdoc/>
    public void Discard(ReadOnlySpan<ulong> pages)
    {
    }
}
