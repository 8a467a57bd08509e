using System;
using System.Collections.Generic;
using System.IO;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Workload;

/// <summary>
/// Two guests with less memory than they use, over a swap file, against a shadow of every byte: accesses through
/// vCPUs with TLBs, and everything that a host does to memory between them. Depends on its seed alone.
/// </summary>
internal sealed unsafe partial class PressureWorkload : IDisposable
{
    internal const ulong PageBytes = 4096;
    internal const ulong PrivatePages = 3072;
    internal const ulong SharedPages = 1024;
    internal const ulong Pages = PrivatePages + SharedPages;

    private const ulong SharedAt = 1UL << 32;           // in the first guest: in step with its windows
    private const ulong AliasAt = (1UL << 33) + 0x7000; // once more, out of step with them
    private const ulong OtherAt = 1UL << 30;            // in the second guest
    private const ulong HotPages = 256;
    // Of the random bits of an access: a write if none is set; the alias of a shared page; zeros if none is.
    private const ulong WriteBits = 0x30;
    private const ulong AliasBit = 0x80;
    private const ulong ValueBits = 0x7000_0000;
    private const int Interrupter = 3;
    private const int OtherInterrupter = 4;
    private const int AccessesPerMove = 32_768;
    private const int OperationsPerCheckpoint = 512;

    private readonly string _path = Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid() + ".swap");
    private readonly GuestFormat _format;
    private readonly SeededGenerator _random;
    private readonly Arena _arena;
    private readonly SwapFile _file;
    private readonly InterruptedStore _store;
    private readonly SwapSpace _swap;
    private readonly SwapPager _pager;
    private readonly VmObject _shared;
    private readonly PageDaemon _daemon;
    private readonly Guest _guest;
    private readonly Guest _other;
    private readonly CachingVcpu[] _vcpus;
    private readonly byte[] _shadow = new byte[Pages * PageBytes];
    private readonly byte[] _buffer = new byte[16 * PageBytes];
    private ulong _hotAt;
    private long _accesses;

    internal PressureWorkload(GuestFormat format, double overcommit, SuperpagePolicy? superpages, ulong seed)
    {
        _format = format;
        _random = new SeededGenerator(seed);
        ulong resident = (ulong)(Pages / overcommit);
        // Tables, indexes, what consumers keep at hand, and bytes behind holds of what was discarded.
        _arena = new Arena(new ArenaOptions { Bytes = (resident + 1024) * PageBytes });
        _daemon = new PageDaemon(_arena, new PageDaemonOptions { ResidentBytes = resident * PageBytes });
        _file = new SwapFile(new SwapFileOptions { Path = _path, Bytes = 2 * Pages * PageBytes });
        _store = new InterruptedStore(_file) { Interrupt = InterruptWrite };
        _swap = new SwapSpace(_store);
        _pager = new SwapPager(_swap, SharedPages);
        _shared = new VmObject(_arena, SharedPages * PageBytes, _pager);
        GuestOptions options = format.Options(consumers: 3) with
        {
            Swap = _swap, Superpages = superpages is not null, Policy = superpages ?? SuperpagePolicy.Fixed,
        };
        _guest = new Guest(_arena, options);
        _other = new Guest(_arena, options);
        _guest.MapMemory(new Gpa(0), PrivatePages * PageBytes);
        _guest.MapObject(new Gpa(SharedAt), _shared, 0, SharedPages * PageBytes);
        _guest.MapObject(new Gpa(AliasAt), _shared, 0, SharedPages * PageBytes);
        _other.MapObject(new Gpa(OtherAt), _shared, 0, SharedPages * PageBytes);
        _vcpus =
        [
            new CachingVcpu(_guest), new CachingVcpu(_guest), new CachingVcpu(_other), new CachingVcpu(_guest),
            new CachingVcpu(_other),
        ];
    }

    /// <summary>Runs so many accesses, and compares every byte now and then.</summary>
    internal void Run(long accesses, int checkpoints)
    {
        long next = accesses / checkpoints;
        int turn = (int)long.Max(next / OperationsPerCheckpoint, 64);
        long move = 0;
        Fill();
        while (_accesses < accesses)
        {
            if (_accesses >= move)
            {
                _hotAt = _random.Below(Pages);
                move += AccessesPerMove;
            }
            int vcpu = _random.Below(2);
            for (int i = 0; i < turn; i++) Access(vcpu, NextPage(), _random.Next());
            foreach (CachingVcpu each in _vcpus) each.Leave();
            Operate();
            if (_accesses < next) continue;
            CompareAll();
            next += accesses / checkpoints;
        }
        Finish();
    }

    /// <summary>What the run did, for whoever wants to see that it did enough.</summary>
    internal string Describe() => string.Create(null, $"{_format}: {_accesses} accesses, {_vcpus[0].Faults} faults, ")
        + string.Create(null, $"{_guest.Counters.SwapIns + _other.Counters.SwapIns} pages in, ")
        + string.Create(null, $"{_guest.Counters.SwapOuts + _other.Counters.SwapOuts} out, ")
        + string.Create(null, $"{_guest.Counters.CleanEvictions} clean, {_guest.Counters.Promotions} promotions, ")
        + string.Create(null, $"{_guest.Counters.Demotions} demotions, {_rescues} touched on their way out");

    public void Dispose()
    {
        foreach (CachingVcpu vcpu in _vcpus) vcpu.Dispose();
        _guest.Dispose();
        _other.Dispose();
        _shared.Dispose();
        _pager.Dispose();
        _daemon.Dispose();
        _swap.Dispose();
        _file.Dispose();
        _arena.Dispose();
        File.Delete(_path);
    }

    /// <summary>Gives most pages content; some stay as they were never touched.</summary>
    private void Fill()
    {
        for (ulong page = 0; page < Pages; page++)
        {
            if (_random.OneIn(16)) continue;
            Span<byte> bytes = _shadow.AsSpan((int)(page * PageBytes), 64);
            _random.Fill(bytes);
            FaultStatus status = _guest.Write(new Gpa(AddressOf(page, alias: false)), bytes);
            if (status != FaultStatus.Resolved) Fail("cannot be written: " + status, page);
            _written[page] = true;
        }
    }

    /// <summary>Most accesses go to a few pages for a while, as those of programs do.</summary>
    private ulong NextPage()
    {
        ulong bits = _random.Next();
        if ((bits & 255) == 0) return Math.BigMul(bits, Pages, out _);
        ulong page = _hotAt + Math.BigMul(bits, HotPages, out _);
        return page < Pages ? page : page - Pages;
    }

    /// <summary>One load or store of 1 to 8 bytes, by what the random bits say.</summary>
    private void Access(int vcpu, ulong page, ulong bits)
    {
        _accesses++;
        int size = 1 << (int)(bits & 3);
        ulong offset = (bits >> 8) & (PageBytes - 1) & ~(ulong)(size - 1);
        bool isWrite = (bits & WriteBits) == 0;
        ulong gpa = AddressOf(page, (bits & AliasBit) != 0, vcpu) + offset;
        Prot access = isWrite ? Prot.Write : Prot.Read;
        FaultStatus status = _vcpus[vcpu].TryTranslate(gpa, access, out byte* host);
        FaultStatus expected = (access & ~ProtOf(page)) == 0 ? FaultStatus.Resolved : FaultStatus.Protection;
        if (status != expected) Fail("ended in " + status + ", not in " + expected, page);
        if (status != FaultStatus.Resolved) return;
        fixed (byte* shadow = &_shadow[page * PageBytes + offset])
        {
            if (isWrite)
            {
                ulong value = (bits & ValueBits) == 0 ? 0 : bits * 0x9E37_79B9_7F4A_7C15;
                Store(host, size, value);
                Store(shadow, size, value);
                _written[page] = true;
            }
            else if (Load(host, size) != Load(shadow, size))
            {
                Fail("holds something else at " + offset, page);
            }
        }
    }

    private static void Store(byte* at, int size, ulong value)
    {
        switch (size)
        {
            case 1: *at = (byte)value; break;
            case 2: *(ushort*)at = (ushort)value; break;
            case 4: *(uint*)at = (uint)value; break;
            default: *(ulong*)at = value; break;
        }
    }

    private static ulong Load(byte* at, int size) => size switch
    {
        1 => *at,
        2 => *(ushort*)at,
        4 => *(uint*)at,
        _ => *(ulong*)at,
    };

    /// <summary>Where a page is shown to a vCPU; shared ones at one of two places.</summary>
    private static ulong AddressOf(ulong page, bool alias, int vcpu = 0)
    {
        if (page < PrivatePages) return page * PageBytes;
        ulong offset = (page - PrivatePages) * PageBytes;
        if (IsOther(vcpu)) return OtherAt + offset;
        return (alias ? AliasAt : SharedAt) + offset;
    }

    /// <summary>The third vCPU is the second guest's, and the one that interrupts writes there.</summary>
    private static bool IsOther(int vcpu) => vcpu is 2 or OtherInterrupter;

    /// <summary>Rights change in private memory alone.</summary>
    private Prot ProtOf(ulong page) => page < PrivatePages ? _prot[page] : Prot.All;

    /// <summary>Every byte, through the map as it is.</summary>
    private void CompareAll()
    {
        Restore();
        for (ulong page = 0; page < Pages; page += 16)
        {
            _copied = (page, 16);
            FaultStatus status = _guest.Read(new Gpa(AddressOf(page, alias: false)), _buffer);
            _copied = default;
            if (status != FaultStatus.Resolved) Fail("cannot be read: " + status, page);
            for (ulong i = 0; i < 16; i++)
            {
                ReadOnlySpan<byte> bytes = _buffer.AsSpan((int)(i * PageBytes), (int)PageBytes);
                int at = bytes.CommonPrefixLength(_shadow.AsSpan((int)((page + i) * PageBytes), (int)PageBytes));
                if (at != bytes.Length) Fail("differs from its shadow at " + at, page + i);
            }
        }
        _guest.Pmap.CheckConsistency();
        _other.Pmap.CheckConsistency();
    }

    /// <summary>Lets everything go and counts frames and slots.</summary>
    private void Finish()
    {
        while (_holds.Count != 0) Release(0);
        foreach ((ulong page, ulong count) in _wirings)
        {
            _guest.Unwire(new Gpa(AddressOf(page, alias: false)), count * PageBytes);
        }
        Assert.That(_guest.Counters.WiredPages, Is.Zero, Where);
        _guest.Advise(Advice.Discard);
        Assert.That(_guest.Counters.ResidentPages, Is.Zero, Where);
        Assert.That(_swap.Slots.Free, Is.EqualTo(_swap.Slots.Capacity), Where);
        _guest.Dispose();
        _other.Dispose();
        _shared.Dispose();
        foreach (CachingVcpu vcpu in _vcpus) vcpu.Dispose();
        ArenaBalance.AssertWhole(_arena, Where);
    }

    private void Fail(string what, ulong page) => Assert.Fail("Page " + page + " " + what + ": " + Where);

    private string Where => _format + ", access " + _accesses + ", " + _random;
}
