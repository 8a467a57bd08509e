using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Machine.Boot;
using Pagoda.Machine.Cpu;
using Pagoda.Machine.Devices;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Machine;

/// <summary>A PC with one software vCPU, its memory on nested page tables, and the few devices guests need.</summary>
/// <remarks>
/// One host thread makes it, runs it and disposes it. Virtual time alone drives it, so that two runs of the same guest
/// differ in wall-clock time only. No device raises an interrupt, so a halted processor stays halted.
/// </remarks>
public sealed unsafe partial class VirtualMachine : IDisposable
{
    private const int StackRegister = 4;
    private const int SourceRegister = 6;
    private const int SegmentCount = 6;
    private const int CodeSegment = 1;
    private const ushort FlatCodeRights = 0xC09B;
    private const ushort FlatDataRights = 0xC093;

    private readonly MachineOptions _options;
    private readonly SerialConsole _console;
    private readonly PortSpace _ports;
    private readonly MachineBus _bus;
    private readonly GuestConsumer _consumer;
    private readonly CodeLines _code;
    private readonly ExclusiveSection _section;
    private readonly GuestMmu _memory;
    private readonly MemoryBudget? _budget;
    private readonly SoftVcpu _vcpu;

    /// <summary>Makes a machine and loads what it starts with.</summary>
    /// <param name="options">What it is made of.</param>
    /// <param name="sink">Where its serial console goes.</param>
    /// <exception cref="MachineException">The arena is too small for the guest's memory, or cannot be had; or the
    /// resident size and the swap file do not fit each other or the memory.</exception>
    /// <exception cref="SwapException">The swap file cannot be used.</exception>
    public VirtualMachine(MachineOptions options, IConsoleSink sink)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ArenaBytes < options.Memory.Bytes)
        {
            throw new MachineException(MachineSubject.Arena,
                "the arena is smaller than the guest's memory; enlarge it.");
        }
        RequireBudget(options);
        _options = options;
        _console = new SerialConsole(sink, new TextMatcher(options.Until.Span));
        _ports = new PortSpace(_console);
        _bus = new MachineBus(_ports);
        bool complete = false;
        try
        {
            Arena = new Arena(new ArenaOptions { Bytes = options.ArenaBytes, PhysBits = CpuidModel.PhysBits });
            if (options.Swap is not null) _budget = new MemoryBudget(Arena, options);
            Guest = new Guest(Arena, new GuestOptions
            {
                Tables = options.Tables,
                HardwareAd = options.HardwareAd,
                Superpages = options.Superpages,
                Policy = options.Policy,
                Swap = _budget?.Space,
            });
            MapMemory(Guest, options.Memory);
            _consumer = Guest.AddConsumer();
            _code = new CodeLines(Arena);
            _section = new ExclusiveSection(1);
            _memory = new GuestMmu(Guest, _consumer, _code, _section);
            _vcpu = new SoftVcpu(_memory, _bus);
            _bus.Attach(_vcpu);
            Load(options.Boot);
            complete = true;
        }
        finally
        {
            if (!complete) Dispose();
        }
    }

    /// <summary>The engine's memory.</summary>
    public Arena Arena { get; } = null!;

    /// <summary>The guest's address space.</summary>
    public Guest Guest { get; } = null!;

    /// <inheritdoc/>
    public void Dispose()
    {
        _vcpu?.Dispose();
        _section?.Dispose();
        _code?.Dispose();
        _consumer?.Dispose();
        Guest?.Dispose();
        _budget?.Dispose();
        Arena?.Dispose();
    }

    // One object holds low memory, at offsets that are its addresses: its windows of 2 MiB are the guest's.
    private static void MapMemory(Guest guest, MemoryMap map)
    {
        using VmObject low = guest.MakeMemory(map.LowEnd);
        guest.MapObject(new Gpa(0), low, 0, MemoryMap.HoleStart);
        guest.MapObject(new Gpa(MemoryMap.ExtendedStart), low, MemoryMap.ExtendedStart,
            map.LowEnd - MemoryMap.ExtendedStart);
        guest.MapMemory(new Gpa(MemoryMap.VgaTextStart), MemoryMap.VgaTextBytes);
        guest.MapRom(new Gpa(MemoryMap.RomStart), MemoryMap.ExtendedStart - MemoryMap.RomStart, ZeroFillPager.Instance);
        if (map.HighEnd != 0) guest.MapMemory(new Gpa(MemoryMap.HighStart), map.HighEnd - MemoryMap.HighStart);
    }

    // 32-bit protected mode, flat segments, paging and interrupts off: the 32-bit boot protocol of Linux.
    private void Load(BootPlan boot)
    {
        foreach (BootSegment segment in boot.Segments)
        {
            FaultStatus status = Guest.Write(new Gpa(segment.Gpa), segment.Data.Span);
            if (status == FaultStatus.Resolved) continue;
            throw new MachineException(MachineSubject.Arena, "what the guest starts with could not be loaded at "
                + new Gpa(segment.Gpa) + " (" + status + "); enlarge the arena.");
        }
        VcpuState* state = _vcpu.State;
        state->Rip = boot.EntryPoint;
        state->Gpr[StackRegister] = BootPlan.StackTop;
        state->Gpr[SourceRegister] = BootPlan.ZeroPageGpa;
        state->Gdtr.Base = BootPlan.GdtGpa;
        state->Gdtr.Limit = BootPlan.GdtLimit;
        for (int segment = 0; segment < SegmentCount; segment++)
        {
            bool isCode = segment == CodeSegment;
            _vcpu.SetSegment(segment, isCode ? BootPlan.CodeSelector : BootPlan.DataSelector,
                isCode ? FlatCodeRights : FlatDataRights, uint.MaxValue, 0);
        }
        _vcpu.ModeChanged();
    }
}
