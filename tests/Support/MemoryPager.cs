using System;
using System.Collections.Generic;
using Pagoda.Pagers;

namespace Pagoda.Tests.Support;

/// <summary>A pager that stores pages on the managed heap and fails where a test tells it to. For one thread.</summary>
public sealed class MemoryPager : IPager
{
    private readonly Dictionary<ulong, byte[]> _stored = [];

    /// <summary>Pages that cannot be read.</summary>
    public HashSet<ulong> BadReads { get; } = [];

    /// <summary>Pages that cannot be written.</summary>
    public HashSet<ulong> BadWrites { get; } = [];

    /// <summary>Pages that are stored at most; more are refused as full.</summary>
    public int Capacity { get; set; } = int.MaxValue;

    /// <summary>Writing throws this.</summary>
    public Exception? Throws { get; set; }

    /// <summary>Discarding these pages throws.</summary>
    public HashSet<ulong> BadDiscards { get; } = [];

    /// <summary>Called at each write, in front of the copy: what happens on other threads meanwhile.</summary>
    public Action<ulong>? Writing { get; set; }

    /// <summary>Pages stored now.</summary>
    public int Stored => _stored.Count;

    /// <summary>Pages written so far.</summary>
    public int Writes { get; private set; }

    /// <summary>The bytes of a stored page; null for none.</summary>
    public byte[]? Find(ulong page) => _stored.GetValueOrDefault(page);

    /// <inheritdoc/>
    public void Read(in PagerBatch batch)
    {
        for (int lane = 0; lane < batch.Count; lane++)
        {
            ulong page = batch.Pages[lane];
            if (BadReads.Contains(page)) continue;
            if (_stored.TryGetValue(page, out byte[]? bytes))
            {
                bytes.CopyTo(batch.Bytes(lane));
                batch.Status[lane] = PagerStatus.Ok;
                continue;
            }
            batch.Status[lane] = PagerStatus.Zero;
        }
    }

    /// <inheritdoc/>
    public void Write(in PagerBatch batch)
    {
        if (Throws is not null) throw Throws;
        for (int lane = 0; lane < batch.Count; lane++)
        {
            ulong page = batch.Pages[lane];
            Writing?.Invoke(page);
            if (BadWrites.Contains(page)) continue;
            if (!batch.Bytes(lane).ContainsAnyExcept((byte)0))
            {
                _stored.Remove(page);
                batch.Status[lane] = PagerStatus.Zero;
                continue;
            }
            if (_stored.Count >= Capacity && !_stored.ContainsKey(page))
            {
                batch.Status[lane] = PagerStatus.Full;
                continue;
            }
            _stored[page] = batch.Bytes(lane).ToArray();
            batch.Status[lane] = PagerStatus.Ok;
            Writes++;
        }
    }

    /// <inheritdoc/>
    public void Discard(ReadOnlySpan<ulong> pages)
    {
        foreach (ulong page in pages)
        {
            if (BadDiscards.Contains(page)) throw new InvalidOperationException("the store is gone");
            _stored.Remove(page);
        }
    }
}
