using System;
using System.Runtime.InteropServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Machine.Boot;
using Pagoda.Machine.Cpu;
using Pagoda.Machine.Devices;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Machine;

/// <summary>A PC with software vCPUs, its memory on nested page tables, and the few devices guests need.</summary>
/// <remarks>
/// One host thread makes it, runs it and disposes it. Unless each processor has a thread of its own, virtual time alone
/// drives it, so that two runs of the same guest differ in wall-clock time only. No device raises an interrupt; what
/// wakes a halted processor is another one, or the timer of its APIC.
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
    private readonly SharedDevices _devices;
    private readonly MemoryImagePager? _firmware;
    private readonly MemoryBudget? _budget;
    private readonly CodeLines? _code;
    private readonly ExclusiveSection? _section;
    private readonly Processor[] _processors;
    private readonly Schedule _schedule = null!;
    private readonly ThreadCells* _threads;

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
        RequireProcessors(options);
        MemoryBudget.RequireSense(options.Policy, options.Superpages);
        MemoryBudget.RequireSense(options.Memory.Bytes, options.ResidentBytes, ResidentBytesMin(options.Memory.Bytes),
            options.Swap);
        _options = options;
        _console = new SerialConsole(sink, new TextMatcher(options.Until.Span));
        _devices = new SharedDevices(new PortSpace(_console), options.Processors);
        _processors = new Processor[options.Processors];
        bool complete = false;
        try
        {
            Arena = new Arena(new ArenaOptions { Bytes = options.ArenaBytes, PhysBits = CpuidModel.PhysBits });
            if (options.Swap is not null) _budget = MakeBudget(Arena, options);
            Guest = new Guest(Arena, new GuestOptions
            {
                Tables = options.Tables,
                HardwareAd = options.HardwareAd,
                Superpages = options.Superpages,
                Policy = options.Policy,
                Swap = _budget?.Space,
            });
            _firmware = new MemoryImagePager(AcpiTables.Make(options.Processors));
            MapMemory(Guest, options.Memory, _firmware);
            _code = new CodeLines(Arena);
            _section = new ExclusiveSection(options.Processors);
            for (int i = 0; i < _processors.Length; i++)
            {
                _processors[i] = new Processor(i, Guest, _devices, _code, _section);
            }
            _schedule = new Schedule(_processors);
            _threads = (ThreadCells*)NativeMemory.AllocZeroed((nuint)sizeof(ThreadCells));
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
        NativeMemory.Free(_threads);
        _schedule?.Dispose();
        foreach (Processor? processor in _processors) processor?.Dispose();
        _section?.Dispose();
        _code?.Dispose();
        Guest?.Dispose();
        _firmware?.Dispose();
        _budget?.Dispose();
        Arena?.Dispose();
    }

    // One object holds low memory, at offsets that are its addresses: its windows of 2 MiB are the guest's.
    private static void MapMemory(Guest guest, MemoryMap map, MemoryImagePager firmware)
    {
        using VmObject low = guest.MakeMemory(map.LowEnd);
        guest.MapObject(new Gpa(0), low, 0, MemoryMap.HoleStart);
        guest.MapObject(new Gpa(MemoryMap.ExtendedStart), low, MemoryMap.ExtendedStart,
            map.LowEnd - MemoryMap.ExtendedStart);
        guest.MapMemory(new Gpa(MemoryMap.VgaTextStart), MemoryMap.VgaTextBytes);
        guest.MapRom(new Gpa(MemoryMap.RomStart), AcpiTables.Gpa - MemoryMap.RomStart, ZeroFillPager.Instance);
        guest.MapRom(new Gpa(AcpiTables.Gpa), MemoryMap.ExtendedStart - AcpiTables.Gpa, firmware);
        if (map.HighEnd != 0) guest.MapMemory(new Gpa(MemoryMap.HighStart), map.HighEnd - MemoryMap.HighStart);
    }

    private static void RequireProcessors(MachineOptions options)
    {
        if (options.Processors is >= 1 and <= MachineOptions.ProcessorsMax) return;
        throw new MachineException(MachineSubject.Processors, options.Processors
            + " processors cannot be had: use 1 to " + MachineOptions.ProcessorsMax + ".");
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
        SoftVcpu vcpu = _processors[0].Vcpu;
        VcpuState* state = vcpu.State;
        state->Rip = boot.EntryPoint;
        state->Gpr[StackRegister] = BootPlan.StackTop;
        state->Gpr[SourceRegister] = BootPlan.ZeroPageGpa;
        state->Gdtr.Base = BootPlan.GdtGpa;
        state->Gdtr.Limit = BootPlan.GdtLimit;
        for (int segment = 0; segment < SegmentCount; segment++)
        {
            bool isCode = segment == CodeSegment;
            vcpu.SetSegment(segment, isCode ? BootPlan.CodeSelector : BootPlan.DataSelector,
                isCode ? FlatCodeRights : FlatDataRights, uint.MaxValue, 0);
        }
        vcpu.ModeChanged();
    }
}
