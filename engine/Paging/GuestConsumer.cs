using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Tlb;

namespace Pagoda;

/// <summary>
/// Whatever follows translations of a guest, such as a vCPU with its TLB. Between <see cref="Enter"/> and
/// <see cref="Exit"/> it may use tables and translations; it polls at every block boundary.
/// </summary>
/// <remarks>
/// One thread at a time. Use:
/// <code>
///   if (!consumer.Enter(out bool flush)) stop;          // the guest is being destroyed
///   if (flush) { empty the TLB; consumer.Acknowledge(); }
///   run: at every block boundary
///     if (consumer.Poll()) { if (consumer.IsDestroyed) leave; empty the TLB; consumer.Acknowledge(); }
///   consumer.Exit();                                    // the TLB may stay filled
/// </code>
/// A TLB is filled by <see cref="TryWalk"/>, inside the slot. A fault is an exit: <see cref="Fault(in FaultBatch)"/>
/// leaves the slot. The consumer enters again afterwards, keeps no host pointer across it, and translates all operands
/// of the instruction anew.
/// </remarks>
public sealed unsafe partial class GuestConsumer : IDisposable
{
    private readonly VmspaceConsumer _consumer;
    private readonly ConsumerTable _table;
    private readonly int _slot;
    private readonly WalkFormat _walkFormat;
    private readonly byte* _directMap;
    private readonly ulong _arenaBytes;
    private ulong _seen;
    private bool _inside;

    internal GuestConsumer(VmspaceConsumer consumer)
    {
        _consumer = consumer;
        _table = consumer.Space.Consumers;
        _slot = consumer.Slot;
        _walkFormat = consumer.Space.HardwareView;
        _directMap = consumer.Space.Arena.Base;
        _arenaBytes = consumer.Space.Arena.Bytes;
    }

    /// <summary>The guest is being destroyed: leave the slot and do not enter again.</summary>
    [AllocationFree]
    public bool IsDestroyed => _table.IsDying;

    /// <summary>The consumer is between <see cref="Enter"/> and <see cref="Exit"/>.</summary>
    [AllocationFree]
    public bool IsInside => _inside;

    /// <summary>The vmspace's side of it, for the machine's own walks inside the slot.</summary>
    [AllocationFree]
    public VmspaceConsumer Consumer => _consumer;

    /// <summary>Enters the slot.</summary>
    /// <param name="flush">Empty the TLB, then <see cref="Acknowledge"/>, before anything is translated.</param>
    /// <returns>False: the guest is being destroyed, and the slot was not entered.</returns>
    [AllocationFree]
    public bool Enter(out bool flush)
    {
        Invariant.Assert(!_inside);
        _inside = _table.Enter(_slot, ref _seen, out flush);
        return _inside;
    }

    /// <summary>Has something been taken back? Then empty the TLB and <see cref="Acknowledge"/>.</summary>
    [AllocationFree]
    public bool Poll()
    {
        Invariant.Assert(_inside);
        return _table.MustFlush(_slot, ref _seen);
    }

    /// <summary>The TLB was emptied after <see cref="Enter"/> or <see cref="Poll"/> asked for it.</summary>
    [AllocationFree]
    public void Acknowledge()
    {
        Invariant.Assert(_inside);
        _table.Acknowledge(_slot, _seen);
    }

    /// <summary>Leaves the slot. Leaving it twice is harmless.</summary>
    [AllocationFree]
    public void Exit()
    {
        if (!_inside) return;
        _inside = false;
        _table.Exit(_slot);
    }

    /// <summary>Resolves nested faults, as many lanes as the batch has. Leaves the slot first.</summary>
    /// <returns>Lanes whose access is allowed now.</returns>
    [AllocationFree]
    public int Fault(in FaultBatch batch)
    {
        Exit();
        return FaultPipeline.Resolve(_consumer, in batch);
    }

    /// <summary>Resolves one nested fault: a batch of one. Leaves the slot first.</summary>
    /// <param name="gpa">The byte address.</param>
    /// <param name="access">What the access was.</param>
    /// <param name="hpa">Where it lies now; 0 when it is not allowed.</param>
    [AllocationFree]
    public FaultStatus Fault(ulong gpa, Prot access, out ulong hpa)
    {
        Exit();
        FaultStatus status = default;
        hpa = 0;
        FaultPipeline.Resolve(_consumer, new FaultBatch(new ReadOnlySpan<ulong>(in gpa),
            new ReadOnlySpan<Prot>(in access), new Span<ulong>(ref hpa), new Span<FaultStatus>(ref status)));
        return status;
    }

    /// <summary>
    /// Leaves the slot and gives it up. Works while the guest is disposed and after it too; the arena must still live.
    /// The calling thread is in no other slot of the guest.
    /// </summary>
    public void Dispose()
    {
        Exit();
        _consumer.Dispose();
    }
}
