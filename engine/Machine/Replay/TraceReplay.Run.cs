using System;
using System.Diagnostics;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.Machine.Replay;

/// <summary>The loop around the accesses.</summary>
public sealed unsafe partial class TraceReplay
{
    private readonly ulong[] _accesses = new ulong[Kinds];
    private ulong _done;
    private ReplayEnd _end;
    private FaultStatus _failure;
    private ulong _failureGpa;
    private string _message = "";

    /// <summary>Replays a trace to its end. Once in its life.</summary>
    /// <param name="reader">The trace.</param>
    /// <exception cref="TraceException">The trace is damaged.</exception>
    /// <exception cref="System.IO.IOException">It cannot be read on.</exception>
    public ReplayResult Run(ITraceReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var meter = default(AllocationMeter);
        meter.Start();
        long started = Stopwatch.GetTimestamp();
        _storeValue = _options.Seed;
        bool goesOn = true;
        while (goesOn)
        {
            int count = reader.Read(new Span<TraceRecord>(_records, RecordsMax));
            if (count == 0) break;
            for (int at = 0; at < count && goesOn;)
            {
                // A turn ends where a window of the working set does.
                ulong window = WorkingSet.LengthMin - _done % WorkingSet.LengthMin;
                int turn = (int)ulong.Min((ulong)(count - at), window);
                goesOn = Turn(_records + at, turn);
                at += turn;
            }
        }
        long elapsed = Stopwatch.GetTimestamp() - started;
        meter.Stop();
        return Report(reader, Stopwatch.GetElapsedTime(0, elapsed), in meter);
    }

    /// <summary>Some accesses inside the slot, then a step of the daemon outside; false when one failed.</summary>
    private bool Turn(TraceRecord* records, int count)
    {
        bool entered = Enter();
        Invariant.Require(entered);
        int performed = Perform(records, count);
        _consumer.Exit();
        for (int i = 0; i < performed; i++) _accesses[(int)records[i].Kind]++;
        _done += (ulong)performed;
        if (performed != count)
        {
            Explain(in records[performed]);
            return false;
        }
        if (_done % WorkingSet.LengthMin == 0)
        {
            _workingSet.Advance(_done);
            ForgetPages();
        }
        _budget?.Step();
        return true;
    }

    [AllocationFree]
    private bool Enter()
    {
        if (!_consumer.Enter(out bool flush)) return false;
        if (!flush) return true;
        _code.Flush();
        _data.Flush();
        _flushes++;
        _consumer.Acknowledge();
        return true;
    }

    private void Explain(in TraceRecord record)
    {
        string where = "access " + _done + ", at " + new Gpa(record.Address) + " of the trace: ";
        switch (_end)
        {
            case ReplayEnd.ContentWrong:
                _message = where + "the bytes that were read are not those that were written last.";
                break;
            case ReplayEnd.MemoryTooSmall:
                _message = where + "the trace touches more pages than the guest's memory of " + _options.MemoryBytes
                    + " bytes has; give it more.";
                break;
            default:
                _message = where + MemoryBudget.Explain(_budget, _failure, _failureGpa);
                break;
        }
    }

    private ReplayResult Report(ITraceReader reader, TimeSpan elapsed, in AllocationMeter meter)
    {
        var points = new WorkingSetPoint[WorkingSet.Lengths];
        for (int i = 0; i < points.Length; i++) points[i] = _workingSet.Point(i);
        return new ReplayResult
        {
            End = _end,
            Message = _message,
            Accesses = _accesses,
            SkippedLines = reader.SkippedLines,
            FootprintPages = _pages.Count,
            TlbLookups = _done + _crossings,
            TlbHits = _done + _crossings - _misses,
            TlbSecondHits = _secondHits,
            Walks = _walks,
            TlbFlushes = _flushes,
            Refaults = _refaults,
            ContentChecksum = _checksum,
            WorkingSet = points,
            Counters = _guest.Counters,
            Elapsed = elapsed,
            ManagedBytesAllocated = meter.Bytes,
            GcCollections = meter.Collections,
        };
    }
}
