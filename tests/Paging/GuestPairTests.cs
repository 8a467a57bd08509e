using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

/// <summary>
/// What may follow what: every ordered pair of the operations that keep memory in its place or take it away. Each is
/// run in every table format; what it leaves is compared byte by byte, and every frame and slot is counted at the end.
/// </summary>
public sealed unsafe class GuestPairTests
{
    /// <summary>
    /// A row is what was done first, a column what is done next, to the same range (of a moved one: where it is now).
    /// ok: done. none: allowed, and there is nothing that it may do. Anything else is how it is refused, which changes
    /// nothing. Hold is for writing; Narrow leaves reading; Hide leaves no right; Widen gives all rights.
    /// </summary>
    private const string Table = """
        -       Wire      Unwire    Hold       Evict Narrow    Hide      Widen     Unmap     Move      Discard   Destroy
        Wire    ok        ok        ok         none  ok        Wired     ok        Wired     Wired     Wired     ok
        Unwire  ok        NotWired  ok         ok    ok        ok        ok        ok        ok        ok        ok
        Hold    ok        NotWired  ok         none  ok        ok        ok        ok        ok        ok        ok
        Evict   ok        NotWired  ok         none  ok        ok        ok        ok        ok        ok        ok
        Narrow  ok        NotWired  Protection ok    ok        ok        ok        ok        ok        ok        ok
        Hide    Rights    NotWired  Protection ok    ok        ok        ok        ok        ok        ok        ok
        Widen   ok        NotWired  ok         ok    ok        ok        ok        ok        ok        ok        ok
        Unmap   NotMapped NotMapped NoMapping  none  NotMapped NotMapped NotMapped NotMapped NotMapped none      ok
        Move    ok        NotWired  ok         ok    ok        ok        ok        ok        ok        ok        ok
        Discard ok        NotWired  ok         none  ok        ok        ok        ok        ok        none      ok
        Destroy Destroyed Destroyed Destroyed  none  Destroyed Destroyed Destroyed Destroyed Destroyed Destroyed ok
        """;

    private static IEnumerable<TestCaseData> Pairs()
    {
        string[] lines = Table.Split('\n');
        string[] columns = Cells(lines[0]);
        for (int row = 1; row < lines.Length; row++)
        {
            string[] cells = Cells(lines[row]);
            for (int i = 1; i < columns.Length; i++)
            {
                yield return new TestCaseData(cells[0], columns[i], cells[i])
                    .SetArgDisplayNames(cells[0], columns[i], cells[i]);
            }
        }
    }

    [TestCaseSource(nameof(Pairs))]
    public void IsDoneOrRefused(string first, string second, string expected)
    {
        foreach (GuestFormat format in GuestFormats.All)
        {
            using var range = new Range(format);
            if (first is "Unwire") range.Do("Wire");
            if (first is "Widen") range.Do("Narrow");
            Assert.That(range.Do(first), Is.EqualTo("ok"), "first, " + format);
            Assert.That(range.Do(second), Is.EqualTo(expected), "second, " + format);
            range.Check(format.ToString());
        }
    }

    [Test]
    public void TheTableIsWhole()
    {
        string[] lines = Table.Split('\n');
        string[] columns = Cells(lines[0]);
        Assert.That(lines, Has.Length.EqualTo(columns.Length));
        for (int i = 1; i < columns.Length; i++)
        {
            Assert.That(Cells(lines[i]), Has.Length.EqualTo(columns.Length));
            Assert.That(Cells(lines[i])[0], Is.EqualTo(columns[i]));
        }
    }

    private static string[] Cells(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A guest with one range that is written, and what must be true of it.</summary>
    private sealed class Range : IDisposable
    {
        private const ulong Page = 4096;
        private const ulong Pages = 8;
        private const ulong Bytes = Pages * Page;

        private readonly Arena _arena = new(new ArenaOptions { Bytes = 1 << 20 });
        private readonly SwapSpace _swap = new(new MemorySwapStore(64));
        private readonly PageDaemon _daemon;
        private readonly Guest _guest;
        private readonly TestVcpu _vcpu;
        private readonly byte[] _content = new byte[Pages];
        private readonly List<(GuestSpan[] Spans, bool[] Shown)> _holds = [];
        private Gpa _at = new(2 << 20);
        private Prot _prot = Prot.All;
        private bool _isMapped = true;
        private bool _isAlive = true;
        private int _wires;

        public Range(GuestFormat format)
        {
            _daemon = new PageDaemon(_arena, new PageDaemonOptions());
            _guest = new Guest(_arena, format.Options() with { Swap = _swap });
            _vcpu = new TestVcpu(_guest);
            _guest.MapMemory(_at, Bytes);
            for (ulong page = 0; page < Pages; page++)
            {
                _content[page] = (byte)(page + 1);
                _vcpu.Write(_at.Value + page * Page, _content[page]);
            }
        }

        /// <summary>Does it, and what follows from it; says how it went.</summary>
        public string Do(string operation)
        {
            try
            {
                return operation == "Hold" ? Hold() : Change(operation) ? "ok" : "none";
            }
            catch (MapException refusal)
            {
                Assert.That(refusal.Message, Does.Contain("0x" + _at.Value.ToString("x", null)));
                return refusal.Error.ToString();
            }
        }

        /// <summary>Everything is as the operations that were done say.</summary>
        public void Check(string context)
        {
            WriteThroughHolds();
            if (_isAlive) _guest.Pmap.CheckConsistency();
            Assert.That(_guest.Counters.WiredPages, Is.EqualTo(_wires == 0 ? 0 : Pages), context);
            int faults = _vcpu.Faults;
            for (ulong page = 0; page < Pages; page++)
            {
                FaultStatus status = _vcpu.TryAccess(_at.Value + page * Page, Prot.Read, out byte* host);
                Assert.That(status, Is.EqualTo(StatusOf(Prot.Read)), context);
                if (status == FaultStatus.Resolved) Assert.That(*host, Is.EqualTo(_content[page]), context);
                status = _vcpu.TryAccess(_at.Value + page * Page, Prot.Write, out host);
                Assert.That(status, Is.EqualTo(StatusOf(Prot.Write)), context);
                if (status == FaultStatus.Resolved) *host = ++_content[page];
            }
            if (_wires != 0 && _prot == Prot.All) Assert.That(_vcpu.Faults, Is.EqualTo(faults), context);
        }

        public void Dispose()
        {
            WriteThroughHolds();
            foreach ((GuestSpan[] spans, _) in _holds) _guest.Release(spans);
            _guest.Dispose();
            _vcpu.Dispose();
            ArenaBalance.AssertWhole(_arena);
            Assert.That(_swap.Slots.Free, Is.EqualTo(_swap.Slots.Capacity));
            _daemon.Dispose();
            _swap.Dispose();
            _arena.Dispose();
        }

        private FaultStatus StatusOf(Prot access) => !_isAlive ? FaultStatus.Destroyed
            : !_isMapped ? FaultStatus.NoMapping
            : (access & ~_prot) != 0 ? FaultStatus.Protection : FaultStatus.Resolved;

        private string Hold()
        {
            var spans = new GuestSpan[Pages];
            FaultStatus status = _guest.Hold(_at, Bytes, Prot.Write, spans, out int count);
            if (status != FaultStatus.Resolved) return status.ToString();
            _holds.Add((spans[..count], [true]));
            return "ok";
        }

        private bool Change(string operation)
        {
            switch (operation)
            {
                case "Wire":
                    _guest.Wire(_at, Bytes);
                    _wires++;
                    return true;
                case "Unwire":
                    _guest.Unwire(_at, Bytes);
                    _wires--;
                    return true;
                case "Evict":
                    return _daemon.Reclaim((int)Pages).Freed != 0;
                case "Narrow":
                    return Protect(Prot.Read);
                case "Hide":
                    return Protect(Prot.None);
                case "Widen":
                    return Protect(Prot.All);
                case "Unmap":
                    _guest.Unmap(_at, Bytes);
                    _isMapped = false;
                    Forget();
                    return true;
                case "Move":
                    var to = new Gpa(_at.Value + (1UL << 33));
                    _guest.Remap(_at, Bytes, to);
                    Assert.That(_vcpu.TryAccess(_at.Value, Prot.Read, out _), Is.EqualTo(FaultStatus.NoMapping));
                    _at = to;
                    return true;
                case "Discard":
                    return Discard();
                default:
                    _guest.Dispose();
                    _isAlive = false;
                    _wires = 0;
                    Forget();
                    return true;
            }
        }

        private bool Protect(Prot prot)
        {
            _guest.Protect(_at, Bytes, prot);
            _prot = prot;
            return true;
        }

        private bool Discard()
        {
            AdviceResult result = _guest.Advise(_at, Bytes, Advice.Discard);
            if (result.Status == FaultStatus.Destroyed) MapException.ThrowDestroyed(_at.Value, Bytes);
            if (result.Pages == 0) return false;
            Forget();
            return true;
        }

        /// <summary>The range has lost its pages: what holds write from now on is theirs alone.</summary>
        private void Forget()
        {
            _content.AsSpan().Clear();
            foreach ((_, bool[] shown) in _holds) shown[0] = false;
        }

        private void WriteThroughHolds()
        {
            foreach ((GuestSpan[] spans, bool[] shown) in _holds)
            {
                ulong page = 0;
                foreach (GuestSpan span in spans)
                {
                    for (ulong offset = 0; offset < span.Length; offset += Page, page++)
                    {
                        byte written = ++span.Pointer[offset];
                        if (shown[0]) _content[page] = written;
                    }
                }
            }
        }
    }
}
