using System;
using System.IO;
using System.Threading;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.Physical;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>
/// Several vCPUs on the memory of one guest, in 64-bit mode with 4 MiB mapped to themselves by 4 KiB pages, each to be
/// run on a host thread of its own.
/// </summary>
internal sealed unsafe class SharedMachine : IDisposable
{
    public const ulong Code = 0x1_0000;
    public const ulong CodeStride = 0x1_0000;       // each vCPU's code
    public const ulong Data = 0x10_0000;

    private const ulong Mebibyte = 1UL << 20;
    private const ulong MeetingPlace = 0x0800;
    private const ulong TopTable = 0x1000;
    private const ulong LeafTables = 0x4000;
    private const ulong Stacks = 0x8_0000;
    private const ulong StackBytes = 0x4000;
    private const long RunLimit = 20_000_000_000;

    private readonly GuestConsumer[] _consumers;

    public SharedMachine(int count)
    {
        Arena = new Arena(new ArenaOptions { Bytes = 16 * Mebibyte });
        Guest = new Guest(Arena, new GuestOptions());
        Guest.MapMemory(new Gpa(0), 4 * Mebibyte);
        CodeLines = new CodeLines(Arena);
        Section = new ExclusiveSection(count);
        _consumers = new GuestConsumer[count];
        Cpus = new SoftVcpu[count];
        WriteTables();
        for (int i = 0; i < count; i++)
        {
            _consumers[i] = Guest.AddConsumer();
            Cpus[i] = new SoftVcpu(new GuestMmu(Guest, _consumers[i], CodeLines, Section), new RecordingBus(), 1 << 20);
            VcpuState* state = Cpus[i].State;
            state->Efer = 0x500;
            state->Cr0 = 0x8001_0011;
            state->Cr4 = 0x20;
            state->Cr3 = TopTable;
            state->Gpr[4] = Stacks + (ulong)(i + 1) * StackBytes;
            state->Rip = Code + (ulong)i * CodeStride;
            Cpus[i].SetSegment(1, 8, 0xA09B, uint.MaxValue, 0);
            Cpus[i].ModeChanged();
        }
    }

    public Arena Arena { get; }

    public Guest Guest { get; }

    public CodeLines CodeLines { get; }

    public ExclusiveSection Section { get; }

    public SoftVcpu[] Cpus { get; }

    /// <summary>
    /// Puts code, with a HLT behind it, at a vCPU's start; what comes before <see cref="Meet"/> is done when all begin.
    /// </summary>
    public void Load(int cpu, Action<Assembler> write) => LoadAt(Code + (ulong)cpu * CodeStride, a =>
    {
        write(a);
        a.hlt();
    });

    /// <summary>Waits until every vCPU has come here. Uses EDX.</summary>
    public void Meet(Assembler a)
    {
        Label wait = a.CreateLabel();
        a.@lock.inc(__dword_ptr[MeetingPlace]);
        a.Label(ref wait);
        a.pause();
        a.mov(edx, __dword_ptr[MeetingPlace]);
        a.cmp(edx, Cpus.Length);
        a.jb(wait);
        a.nop();
    }

    public void LoadAt(ulong address, Action<Assembler> write)
    {
        var assembler = new Assembler(64);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        Guest.Write(new Gpa(address), stream.ToArray());
    }

    public ulong Read(ulong address)
    {
        ulong value = 0;
        Guest.Read(new Gpa(address), new Span<byte>(&value, sizeof(ulong)));
        return value;
    }

    public void Write(ulong address, ulong value) =>
        Guest.Write(new Gpa(address), new ReadOnlySpan<byte>(&value, sizeof(ulong)));

    /// <summary>Runs every vCPU on a thread of its own until all have halted.</summary>
    public void RunAll()
    {
        var exits = new VcpuExit[Cpus.Length];
        var threads = new Thread[Cpus.Length];
        for (int i = 0; i < threads.Length; i++)
        {
            int cpu = i;
            threads[i] = new Thread(() => exits[cpu] = Cpus[cpu].Run(RunLimit));
        }
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        for (int i = 0; i < exits.Length; i++)
        {
            Assert.That(exits[i], Is.EqualTo(VcpuExit.Halted), () => exits[i] == VcpuExit.Unsupported
                ? Cpus[i].DescribeUnsupported() : Cpus[i].DescribeRegisters());
        }
    }

    public void Dispose()
    {
        foreach (SoftVcpu cpu in Cpus) cpu.Dispose();
        foreach (GuestConsumer consumer in _consumers) consumer.Dispose();
        Guest.Dispose();
        Section.Dispose();
        CodeLines.Dispose();
        Arena.Dispose();
    }

    private void WriteTables()
    {
        const ulong Present = 7;
        Write(TopTable, TopTable + 0x1000 | Present);
        Write(TopTable + 0x1000, TopTable + 0x2000 | Present);
        for (ulong table = 0; table < 2; table++)
        {
            Write(TopTable + 0x2000 + table * 8, LeafTables + table * 0x1000 | Present);
            for (ulong page = 0; page < 512; page++)
            {
                Write(LeafTables + table * 0x1000 + page * 8, (table << 21) + (page << 12) | Present);
            }
        }
    }
}
