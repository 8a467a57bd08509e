using System;
using System.IO;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>One vCPU on flat memory with a bus that records, and helpers to assemble and run code.</summary>
internal sealed unsafe class VcpuFixture : IDisposable
{
    public const ulong Code = 0x1_0000;
    public const ulong Data = 0x2_0000;
    public const ulong StackTop = 0x3_0000;
    public const ulong Gdt = 0x4_0000;
    public const ulong Idt = 0x4_1000;
    public const ulong Task = 0x4_2000;
    public const ulong Handlers = 0x5_0000;

    public const ushort Code64 = 0x08;
    public const ushort Data32 = 0x10;
    public const ushort Code32 = 0x18;
    public const ushort UserCode64 = 0x23;
    public const ushort UserData = 0x2B;
    public const ushort UserCode32 = 0x33;
    public const ushort TaskSelector = 0x38;

    private const long RunLimit = 10_000_000;
    private const ulong MemoryBytes = 8UL << 20;

    public VcpuFixture()
    {
        Memory = new FlatMemory(MemoryBytes);
        Bus = new RecordingBus();
        Cpu = new SoftVcpu(Memory, Bus, 2 << 20);
        Bus.Cpu = Cpu;
        Bus.Memory = Memory;
    }

    public FlatMemory Memory { get; }

    public RecordingBus Bus { get; }

    public SoftVcpu Cpu { get; }

    public VcpuState* State => Cpu.State;

    /// <summary>Sixty-four-bit mode at CPL 0 with the descriptor tables below.</summary>
    public VcpuFixture Long()
    {
        Reset();
        State->Efer = 0x500;
        State->Cr0 = 0x8000_0011;
        State->Cr4 = 0x20;
        Cpu.SetSegment(1, Code64, 0xA09B, uint.MaxValue, 0);
        Cpu.ModeChanged();
        return this;
    }

    /// <summary>Thirty-two-bit protected mode, flat, at CPL 0.</summary>
    public VcpuFixture Protected()
    {
        Reset();
        Cpu.SetSegment(1, Code32, 0xC09B, uint.MaxValue, 0);
        Cpu.ModeChanged();
        return this;
    }

    /// <summary>Real mode at CS 1000h, where <see cref="Code"/> is IP 0, data segments at 0, SP 8000h.</summary>
    public VcpuFixture Real()
    {
        Cpu.Reset();
        Cpu.Start((byte)(Code >> 12));
        State->Gpr[2] = 0;
        State->Gpr[4] = 0x8000;
        State->Idtr.Limit = 0x3FF;
        return this;
    }

    /// <summary>Puts code into memory; it replaces what was decoded there.</summary>
    public ulong Load(ulong address, int bitness, Action<Assembler> write)
    {
        var assembler = new Assembler(bitness);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        LoadBytes(address, stream.ToArray());
        return address + (ulong)stream.Length;
    }

    public void LoadBytes(ulong address, params ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(Memory.Base + (address - Memory.Origin), bytes.Length));
        Memory.ContentChanged(address, bytes.Length);
    }

    /// <summary>Assembles, runs to the HLT that is put behind it, and expects to get there.</summary>
    public void Run64(Action<Assembler> write) => RunToHalt(64, write);

    public void Run32(Action<Assembler> write) => RunToHalt(32, write);

    public VcpuExit Run(ulong rip)
    {
        State->Rip = rip;
        State->Activity = VcpuActivity.Running;
        return Cpu.Run(RunLimit);
    }

    public ulong Read(ulong address, int bytes = 8)
    {
        ulong value = 0;
        Buffer.MemoryCopy(Memory.Base + address, &value, sizeof(ulong), bytes);
        return value;
    }

    public void Write(ulong address, ulong value, int bytes = 8) =>
        Buffer.MemoryCopy(&value, Memory.Base + address, bytes, bytes);

    /// <summary>An interrupt gate to a handler, in the layout of the current mode.</summary>
    public void SetGate(int vector, ulong handler, ushort selector, int dpl = 0, int stackTable = 0, int type = 14)
    {
        ulong rights = (ulong)(0x80 | dpl << 5 | type);
        ulong low = handler & 0xFFFF | (ulong)selector << 16 | (ulong)stackTable << 32 | rights << 40
            | (handler >> 16 & 0xFFFF) << 48;
        if ((State->Efer & 0x400) != 0)
        {
            Write(Idt + (ulong)vector * 16, low);
            Write(Idt + (ulong)vector * 16 + 8, handler >> 32);
            State->Idtr.Limit = 256 * 16 - 1;
        }
        else
        {
            Write(Idt + (ulong)vector * 8, low);
            State->Idtr.Limit = 256 * 8 - 1;
        }
        State->Idtr.Base = Idt;
    }

    /// <summary>A handler that stores what is on its stack from Data + 0x800 on, six words, and halts.</summary>
    public void HandleByStoring(int vector, int bitness)
    {
        ulong at = Handlers + (ulong)vector * 64;
        SetGate(vector, at, bitness == 64 ? Code64 : Code32);
        Load(at, bitness, a =>
        {
            if (bitness == 64)
            {
                a.mov(AssemblerRegisters.r15, 0x1000UL + (ulong)vector);
            }
            else
            {
                a.mov(AssemblerRegisters.ebp, 0x1000U + (uint)vector);
            }
            a.hlt();
        });
    }

    public void Dispose()
    {
        Cpu.Dispose();
        Memory.Dispose();
    }

    private void RunToHalt(int bitness, Action<Assembler> write)
    {
        Load(Code, bitness, a =>
        {
            write(a);
            a.hlt();
        });
        VcpuExit exit = Run(Code);
        string detail = exit == VcpuExit.Unsupported ? Cpu.DescribeUnsupported() : "RIP 0x" + State->Rip.ToString("x");
        Assert.That(exit, Is.EqualTo(VcpuExit.Halted), detail);
    }

    private void Reset()
    {
        Cpu.SetFlat();
        State->Gpr[4] = StackTop;
        State->Gdtr.Base = Gdt;
        State->Gdtr.Limit = 0x4F;
        Write(Gdt, 0);
        Write(Gdt + Code64, 0x00AF_9B00_0000_FFFF);
        Write(Gdt + Data32, 0x00CF_9300_0000_FFFF);
        Write(Gdt + Code32, 0x00CF_9B00_0000_FFFF);
        Write(Gdt + 0x20, 0x00AF_FB00_0000_FFFF);
        Write(Gdt + 0x28, 0x00CF_F300_0000_FFFF);
        Write(Gdt + 0x30, 0x00CF_FB00_0000_FFFF);
        Write(Gdt + TaskSelector, 0x0000_8904_2000_0067);
        Write(Gdt + TaskSelector + 8, 0);
        State->TaskBase = Task;
        State->TaskRegister.Limit = 0x67;
        State->TaskRegister.Selector = TaskSelector;
        for (int segment = 0; segment < 6; segment++)
        {
            if (segment != 1) Cpu.SetSegment(segment, Data32, 0xC093, uint.MaxValue, 0);
        }
    }
}

/// <summary>A bus that answers with ones and remembers what happened.</summary>
internal sealed class RecordingBus : IMachineBus
{
    public SoftVcpu? Cpu { get; set; }

    public FlatMemory? Memory { get; set; }

    public int LastPort { get; private set; }

    public uint LastOut { get; private set; }

    public ulong LastMmioGpa { get; private set; }

    public ulong LastMmioValue { get; private set; }

    public int LastMmioSize { get; private set; }

    public int MmioReads { get; private set; }

    public int MmioWrites { get; private set; }

    public ulong MmioAnswer { get; set; } = ulong.MaxValue;

    public uint PortAnswer { get; set; } = uint.MaxValue;

    public ulong TimeSeen { get; private set; }

    public bool WasInsideSlot { get; private set; }

    /// <summary>Called by every store to a port.</summary>
    public Action? OnOut { get; set; }

    /// <summary>Called by every access to device memory.</summary>
    public Action? OnMmio { get; set; }

    public uint In(int port, int size)
    {
        Note();
        LastPort = port;
        return PortAnswer;
    }

    public void Out(int port, int size, uint value)
    {
        Note();
        LastPort = port;
        LastOut = value;
        OnOut?.Invoke();
    }

    public ulong ReadMmio(ulong gpa, int size)
    {
        Note();
        MmioReads++;
        LastMmioGpa = gpa;
        LastMmioSize = size;
        OnMmio?.Invoke();
        return MmioAnswer;
    }

    public void WriteMmio(ulong gpa, int size, ulong value)
    {
        Note();
        MmioWrites++;
        LastMmioGpa = gpa;
        LastMmioSize = size;
        LastMmioValue = value;
        OnMmio?.Invoke();
    }

    public bool ReadMsr(uint index, out ulong value)
    {
        value = 0x1234_5678_9ABC;
        return index == 0x1B;
    }

    public bool WriteMsr(uint index, ulong value) => index == 0x1B;

    public void Cpuid(uint leaf, uint subleaf, out CpuidResult result)
    {
        result.Eax = leaf + 1;
        result.Ebx = subleaf + 2;
        result.Ecx = 3;
        result.Edx = 4;
    }

    private void Note()
    {
        if (Cpu is null || Memory is null) return;
        TimeSeen = Cpu.TimeNanoseconds;
        WasInsideSlot |= Memory.IsInside;
    }
}
