using System;
using System.Threading;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda.Perf.Stress;

/// <summary>
/// A device: holds that cross pages and last, batches of holds, copies in and out, in another guest's view too.
/// </summary>
internal sealed unsafe class StressDevice(Guest guest, Guest peer, StressLedger ledger, StressDrops drops, int writer,
    ulong pages)
{
    private const int BatchPages = 16;
    private const int SpansMax = 4;

    private readonly GuestSpan[] _spans = new GuestSpan[SpansMax];
    private readonly ulong[] _gpas = new ulong[BatchPages];
    private readonly nint[] _pointers = new nint[BatchPages];
    private readonly FaultStatus[] _status = new FaultStatus[BatchPages];
    private readonly byte[] _bytes = new byte[2 << 12];

    /// <summary>Works until the run is over.</summary>
    public void Run(ulong seed)
    {
        var random = new StressRandom(seed);
        for (long i = 1; !ledger.IsOver; i++)
        {
            switch (random.Below(5))
            {
                case 0:
                    Copy(random.Below(pages), i);
                    break;
                case 1:
                    Read(random.Below(pages - 1));
                    break;
                case 2:
                    UseDropped(random.Below(StressDrops.Pages), i);
                    break;
                case 3:
                    HoldRun(random.Below(pages - SpansMax), i, lasts: random.OneIn(4));
                    break;
                default:
                    HoldSome(ref random, i);
                    break;
            }
        }
    }

    private static ulong GpaOf(ulong page) => StressWorld.Start + (page << 12);

    private void Copy(ulong page, long value)
    {
        Gpa gpa = new(GpaOf(page) + StressLedger.OffsetOf(writer));
        FaultStatus status = guest.Write(gpa, new ReadOnlySpan<byte>(&value, sizeof(long)));
        if (Succeeds(status)) ledger.Stored(writer, page, value);
    }

    private void Read(ulong page)
    {
        if (!Succeeds(guest.Read(new Gpa(GpaOf(page)), _bytes))) return;
        for (ulong i = 0; i < 2; i++)
        {
            ledger.Verify(writer, page + i,
                BitConverter.ToInt64(_bytes, (int)((i << 12) + StressLedger.OffsetOf(writer))));
        }
    }

    private void UseDropped(ulong page, long value)
    {
        Gpa gpa = new(StressDrops.GpaOf(writer, page));
        long found;
        long ended = drops.Ended(page);
        if (Succeeds(peer.Read(gpa, new Span<byte>(&found, sizeof(long))))) drops.Verify(writer, page, found, ended);
        ended = drops.Ended(page);
        FaultStatus status = peer.Write(gpa, new ReadOnlySpan<byte>(&value, sizeof(long)));
        if (Succeeds(status)) drops.Stored(writer, page, value, ended);
    }

    private void HoldRun(ulong page, long value, bool lasts)
    {
        FaultStatus status = guest.Hold(new Gpa(GpaOf(page)), SpansMax << 12, Prot.Write, _spans, out int count);
        if (!Succeeds(status)) return;
        if (lasts) Thread.Yield();
        ulong at = page;
        foreach (ref readonly GuestSpan span in _spans.AsSpan(0, count))
        {
            for (ulong offset = 0; offset < span.Length; offset += 4096, at++)
            {
                long* own = (long*)(span.Pointer + offset + StressLedger.OffsetOf(writer));
                ledger.Verify(writer, at, *own);
                *own = value;
                ledger.Stored(writer, at, value);
            }
        }
        guest.Release(_spans.AsSpan(0, count));
    }

    private void HoldSome(ref StressRandom random, long value)
    {
        ulong first = random.Below(pages - BatchPages * 8);
        for (int i = 0; i < BatchPages; i++)
        {
            _gpas[i] = GpaOf(first + (ulong)i * 8);
        }
        guest.HoldBatch(_gpas, Prot.Write, _pointers, _status);
        for (int i = 0; i < BatchPages; i++)
        {
            if (!Succeeds(_status[i])) continue;
            ulong page = first + (ulong)i * 8;
            long* own = (long*)(_pointers[i] + (nint)StressLedger.OffsetOf(writer));
            ledger.Verify(writer, page, *own);
            *own = value;
            ledger.Stored(writer, page, value);
            Interlocked.Increment(ref *(long*)(_pointers[i] + (nint)StressLedger.CounterOffset));
            ledger.Counted(writer, page);
        }
        guest.ReleaseBatch(_pointers, Prot.Write);
    }

    private bool Succeeds(FaultStatus status)
    {
        if (status is FaultStatus.PagerError or FaultStatus.Poisoned) ledger.Fail("a page was lost: " + status);
        return status == FaultStatus.Resolved;
    }
}
