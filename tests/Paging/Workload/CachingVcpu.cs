using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda.Tests.Workload;

/// <summary>
/// The memory side of a vCPU with a TLB that it empties only when it is told to: a translation that was taken back
/// without a shootdown goes on being used.
/// </summary>
internal sealed unsafe class CachingVcpu(Guest guest) : IDisposable
{
    private const int Entries = 1024;
    private const int AttemptsMax = 64;

    private readonly GuestConsumer _consumer = guest.AddConsumer();
    private Entry* _entries = (Entry*)NativeMemory.AllocZeroed(Entries, (nuint)sizeof(Entry));

    private struct Entry
    {
        public ulong Tag;               // the page's number and 1; 0 is empty
        public byte* Page;
        public Prot Granted;
    }

    public ulong Faults { get; private set; }

    public ulong Flushes { get; private set; }

    /// <summary>Translates for one access; the pointer is good until the vCPU leaves its slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FaultStatus TryTranslate(ulong gpa, Prot access, out byte* host)
    {
        ulong tag = (gpa >> 12) + 1;
        Entry* entry = _entries + (tag & (Entries - 1));
        if (_consumer.IsInside && entry->Tag == tag && (access & ~entry->Granted) == 0)
        {
            host = entry->Page + (gpa & 4095);
            return FaultStatus.Resolved;
        }
        return Miss(gpa, access, out host);
    }

    /// <summary>
    /// Puts frames aside, so that the next fault has no room to make: for one that interrupts reclaim on its thread.
    /// </summary>
    public void PutAside() => _consumer.Consumer.Frames.Reserve(16);

    public FaultStatus Hold(ulong gpa, ulong length, Prot access, Span<GuestSpan> spans) =>
        _consumer.Hold(new Gpa(gpa), length, access, spans, out _);

    /// <summary>Leaves the slot, as a vCPU does that stops; its TLB stays filled.</summary>
    public void Leave() => _consumer.Exit();

    public void Dispose()
    {
        _consumer.Dispose();
        NativeMemory.Free(_entries);
        _entries = null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private FaultStatus Miss(ulong gpa, Prot access, out byte* host)
    {
        host = null;
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            if (!_consumer.IsInside && !TryEnter()) return FaultStatus.Destroyed;
            ulong tag = (gpa >> 12) + 1;
            Entry* entry = _entries + (tag & (Entries - 1));
            if (entry->Tag != tag || (access & ~entry->Granted) != 0)
            {
                if (!_consumer.TryWalk(gpa, access, out ulong hpa, out Prot granted))
                {
                    Faults++;
                    FaultStatus status = _consumer.Fault(gpa, access, out _);
                    if (status > FaultStatus.Emulated) return status;
                    continue;
                }
                *entry = new Entry { Tag = tag, Page = guest.Arena.DirectMap(hpa & ~4095UL), Granted = granted };
            }
            host = entry->Page + (gpa & 4095);
            return FaultStatus.Resolved;
        }
        throw new InvalidOperationException("faults at 0x" + gpa.ToString("x", null) + " make no progress");
    }

    private bool TryEnter()
    {
        if (!_consumer.Enter(out bool flush)) return false;
        if (!flush) return true;
        NativeMemory.Clear(_entries, Entries * (nuint)sizeof(Entry));
        Flushes++;
        _consumer.Acknowledge();
        return true;
    }
}
