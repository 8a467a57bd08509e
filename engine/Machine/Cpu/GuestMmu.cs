using System;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// A vCPU's memory on nested tables: walks guest and nested tables as hardware does, and turns every exit of the walk
/// into a fault of the guest's address space, until the access succeeds or is a device's.
/// </summary>
/// <remarks>
/// Walks run inside the consumer's slot; a fault leaves it, so what was found before a fault is found again. The vCPU
/// counts as executing exactly while it is inside.
/// </remarks>
public sealed unsafe class GuestMmu : VcpuMemory
{
    // Exit qualification of an EPT violation (SDM volume 3, "Exit Qualification for EPT Violations").
    private const ulong QualificationWrite = 1 << 1;
    private const ulong QualificationFetch = 1 << 2;
    private const ulong QualificationFinal = 1 << 8;

    // EXITINFO1 of a nested page fault (APM volume 2, "Nested versus Guest Page Faults, Fault Ordering").
    private const ulong ExitInfoWrite = 1 << 1;
    private const ulong ExitInfoFetch = 1 << 4;
    private const ulong ExitInfoFinal = 1UL << 32;

    // Error code of #PF.
    private const uint ErrorPresent = 1 << 0;
    private const uint ErrorWrite = 1 << 1;
    private const uint ErrorUser = 1 << 2;
    private const uint ErrorReserved = 1 << 3;
    private const uint ErrorFetch = 1 << 4;

    private readonly Guest _owner;
    private readonly GuestConsumer _consumer;
    private readonly Arena _arena;
    private readonly WalkFormat _nested;
    private readonly CodeLines _code;
    private readonly ExclusiveSection _section;
    private readonly int _member;
    private ArenaMemory _memory;
    private WalkFormat _guest;

    /// <summary>The memory of one vCPU of a guest.</summary>
    /// <param name="guest">The guest, with EPT or RVI tables.</param>
    /// <param name="consumer">The vCPU's consumer; it stays the caller's.</param>
    /// <param name="code">The decoded lines of the machine; the vCPU joins them.</param>
    /// <param name="section">The exclusive section of the machine; the vCPU joins it.</param>
    /// <exception cref="ArgumentException">The guest has x86 tables, which no nested walk follows.</exception>
    public GuestMmu(Guest guest, GuestConsumer consumer, CodeLines code, ExclusiveSection section)
    {
        ArgumentNullException.ThrowIfNull(guest);
        ArgumentNullException.ThrowIfNull(consumer);
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(section);
        GuestOptions options = guest.Options;
        if (options.Tables == TableKind.X86)
        {
            throw new ArgumentException("A vCPU needs nested tables: give the guest EPT or RVI ones.", nameof(guest));
        }
        _owner = guest;
        _consumer = consumer;
        _arena = guest.Arena;
        _memory = new ArenaMemory(_arena);
        _nested = options.Tables == TableKind.Ept
            ? WalkFormat.ForEpt(guest.RootRegister, _arena.PhysBits, options.ExecOnly, options.Superpages,
                options.Gigapages)
            : WalkFormat.ForNpt(guest.RootRegister, _arena.PhysBits, options.Levels, noExecute: true,
                options.Gigapages);
        _code = code;
        code.Join();
        _section = section;
        _member = section.Join();
    }

    /// <summary>What the last fill that failed ended with.</summary>
    public FaultStatus LastFailure { get; private set; }

    /// <summary>The guest-physical address of that fill.</summary>
    public ulong LastFailureGpa { get; private set; }

    /// <inheritdoc/>
    public override FillStatus Fill(VcpuState* state, ulong address, Prot access, bool user, out TlbFill fill)
    {
        fill = default;
        if (!_consumer.IsInside) return Failed(FaultStatus.Destroyed, 0);
        while (true)
        {
            Walker.Walk2D(ref _memory, in _nested, in _guest, address, access, user, out WalkResult walk,
                out ulong gpa);
            switch (walk.Outcome)
            {
                case WalkOutcome.Ok:
                    fill.Gpa = gpa;
                    return Found(in walk, ref fill);
                case WalkOutcome.PageFault:
                    fill.ErrorCode = (uint)walk.Info;
                    return FillStatus.PageFault;
                case WalkOutcome.GeneralProtection:
                    return FillStatus.NotCanonical;
                case WalkOutcome.Violation or WalkOutcome.NestedFault:
                    break;
                default:
                    // A misconfigured nested entry is our defect; a table in device memory is the guest's.
                    Invariant.Require(walk.Outcome == WalkOutcome.Outside);
                    fill.ErrorCode = Unreadable(access, user);
                    return FillStatus.PageFault;
            }
            fill.Gpa = walk.FaultGpa;
            FaultStatus status = Fault(walk.FaultGpa, AccessOf(in walk));
            if (status is FaultStatus.Resolved or FaultStatus.Spurious or FaultStatus.Emulated) continue;
            if (status is not (FaultStatus.NoMapping or FaultStatus.Protection)) return Failed(status, walk.FaultGpa);
            if (IsFinal(in walk)) return FillStatus.Mmio;
            fill.ErrorCode = Unreadable(access, user);
            return FillStatus.PageFault;
        }
    }

    /// <inheritdoc/>
    public override bool Enter()
    {
        // First the section, whose wait must not hold anybody's shootdown back.
        _section.Enter(_member);
        if (!_consumer.Enter(out bool flush))
        {
            // No translation is good any more, and no fill finds another.
            _section.Exit(_member);
            EmptyTranslations();
            return false;
        }
        if (!flush) return true;
        EmptyTranslations();
        _consumer.Acknowledge();
        return true;
    }

    /// <inheritdoc/>
    public override bool Poll()
    {
        if (_section.IsWanted(_member))
        {
            Exit();
            return Enter();
        }
        if (!_consumer.Poll()) return true;
        if (_consumer.IsDestroyed) return false;
        EmptyTranslations();
        _consumer.Acknowledge();
        return true;
    }

    /// <inheritdoc/>
    public override void Exit()
    {
        _consumer.Exit();
        _section.Exit(_member);
        Departures++;
    }

    /// <inheritdoc/>
    public override bool TryBeginExclusive()
    {
        if (_section.TryBegin(_member)) return true;
        Exit();
        Enter();
        return false;
    }

    /// <inheritdoc/>
    public override void EndExclusive() => _section.End(_member);

    /// <inheritdoc/>
    public override void PagingChanged(VcpuState* state) =>
        _guest = WalkFormat.ForX86(state->Cr0, state->Cr3, state->Cr4, state->Efer, CpuidModel.PhysBits,
            gigapages: false);

    /// <inheritdoc/>
    public override ulong ReadDevice(ulong gpa, int size) =>
        TryFindDevice(gpa, Prot.Read, out DeviceRange range, out ulong hpa) ? range.Read(hpa, size) : ulong.MaxValue;

    /// <inheritdoc/>
    public override void WriteDevice(ulong gpa, int size, ulong value)
    {
        if (TryFindDevice(gpa, Prot.Write, out DeviceRange range, out ulong hpa)) range.Write(hpa, size, value);
    }

    /// <inheritdoc/>
    public override uint* CodeVersion(uint pfn) => _code.Version(pfn);

    /// <inheritdoc/>
    public override bool IsCode(uint pfn) => _code.IsCode(pfn);

    /// <inheritdoc/>
    public override bool MarkCode(uint pfn, ulong lines)
    {
        if (!_code.Mark(pfn, lines, out uint version)) return false;
        if (_code.Sharers > 1)
        {
            Exit();
            _consumer.Renew();
            Enter();
        }
        _code.Settle(pfn, version);
        return true;
    }

    /// <inheritdoc/>
    public override bool CodeStored(uint pfn, ulong lines) => _code.Stored(pfn, lines);

    private FillStatus Found(in WalkResult walk, ref TlbFill fill)
    {
        ulong page = walk.Hpa & ~(ulong)Paging.PageOffsetMask;
        fill.Granted = walk.Granted;
        fill.Shift = walk.LeafShift;
        fill.IsOfLargePage = walk.GuestShift > Paging.PageShift;
        if (_arena.IsArena(page))
        {
            fill.HostPage = _arena.DirectMap(page);
            fill.Pfn = (uint)(page >> Paging.PageShift);
            return FillStatus.Ok;
        }
        bool isRange = _arena.Devices.TryFind(page, out DeviceRange range);
        Invariant.Require(isRange);
        if (range.HostPointer == null) return FillStatus.Device;
        fill.HostPage = range.HostPointer + (page - range.Hpa);
        return FillStatus.Ok;
    }

    // Leaves the slot and enters it again.
    private FaultStatus Fault(ulong gpa, Prot access)
    {
        Exit();
        FaultStatus status = _consumer.Fault(gpa, access, out _);
        return Enter() ? status : FaultStatus.Destroyed;
    }

    private FillStatus Failed(FaultStatus status, ulong gpa)
    {
        LastFailure = status;
        LastFailureGpa = gpa;
        return FillStatus.Error;
    }

    private static Prot AccessOf(in WalkResult walk)
    {
        bool isEpt = walk.Outcome == WalkOutcome.Violation;
        if ((walk.Info & (isEpt ? QualificationWrite : ExitInfoWrite)) != 0) return Prot.Write;
        return (walk.Info & (isEpt ? QualificationFetch : ExitInfoFetch)) != 0 ? Prot.Execute : Prot.Read;
    }

    private static bool IsFinal(in WalkResult walk) =>
        (walk.Info & (walk.Outcome == WalkOutcome.Violation ? QualificationFinal : ExitInfoFinal)) != 0;

    // A page-table entry that lies in no memory reads as ones, which has reserved bits set.
    private static uint Unreadable(Prot access, bool user) => ErrorPresent | ErrorReserved
        | (access == Prot.Write ? ErrorWrite : 0) | (access == Prot.Execute ? ErrorFetch : 0) | (user ? ErrorUser : 0);

    // Outside the slot, so the translation is looked up anew.
    private bool TryFindDevice(ulong gpa, Prot access, out DeviceRange range, out ulong hpa)
    {
        range = default;
        bool isMapped = _owner.TryTranslate(new Gpa(gpa), access, out Hpa found);
        hpa = found.Value;
        return isMapped && _arena.Devices.TryFind(hpa, out range);
    }
}
