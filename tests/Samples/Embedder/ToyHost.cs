using System;
using Pagoda;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;

// A processor with one instruction, "a b c": m[b] -= m[a]; if (m[b] <= 0) goto c. It halts at a negative address.
using var host = new ToyHost(memoryBytes: 1 << 30);
(host[0], host[8], host[16]) = (24, 1 << 20, -1);
(host[24], host[1 << 20]) = (30, 12);
Console.WriteLine(host.Run(0) ? "halted with " + host[1 << 20] : "died");

internal sealed unsafe class ToyHost : IDisposable
{
    private readonly Arena _arena = new(new ArenaOptions { Bytes = 4 << 20 });
    private readonly (ulong Page, Prot Granted, nint Host)[] _tlb = new (ulong, Prot, nint)[64];
    private readonly Guest _guest;
    private readonly GuestConsumer _cpu;
    private FaultStatus _status;
    public ToyHost(ulong memoryBytes)
    {
        _guest = new Guest(_arena, new GuestOptions());
        _guest.MapMemory(new Gpa(0), memoryBytes);
        _cpu = _guest.AddConsumer();
    }
    public long this[ulong at]
    {
        get { long word; _status = _guest.Read(new Gpa(at), new Span<byte>(&word, sizeof(long))); return word; }
        set => _status = _guest.Write(new Gpa(at), new ReadOnlySpan<byte>(&value, sizeof(long)));
    }
    public bool Run(long pc)
    {
        while (pc >= 0 && _status <= FaultStatus.Emulated && IsReady())
        {
            long* a = At(pc, Prot.Execute), b = At(pc + 8, Prot.Execute), c = At(pc + 16, Prot.Execute);
            if (a == null || b == null || c == null) continue;      // a fault was met: all operands anew
            long* from = At(*a, Prot.Read), to = At(*b, Prot.Write);
            if (from != null && to != null) pc = (*to -= *from) <= 0 ? *c : pc + 24;
        }
        return pc < 0;
    }
    private long* At(long address, Prot access) // null: a fault was met, and the slot was left
    {
        ulong page = (ulong)address >> 12;
        ref (ulong Page, Prot Granted, nint Host) entry = ref _tlb[page % 64];
        bool isMiss = entry.Page != page || (entry.Granted & access) == 0;
        if (isMiss && _cpu.IsInside && _cpu.TryWalk(page << 12, access, out ulong hpa, out Prot granted))
            entry = (page, granted, (nint)_arena.DirectMap(hpa));
        else if (isMiss) _status = _cpu.Fault(page << 12, access, out _);
        return _cpu.IsInside ? (long*)(entry.Host + (nint)(address & 0xFF8)) : null;
    }
    private bool IsReady()                      // in the slot, and nothing that was taken back is in the TLB
    {
        bool flush = _cpu.IsInside && _cpu.Poll();
        if (!_cpu.IsInside && !_cpu.Enter(out flush)) return false;
        if (flush) { Array.Clear(_tlb); _cpu.Acknowledge(); }
        return !_cpu.IsDestroyed;
    }
    public void Dispose() { _cpu.Dispose(); _guest.Dispose(); _arena.Dispose(); }
}
