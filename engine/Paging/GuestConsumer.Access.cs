using System;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda;

/// <summary>
/// Access to guest memory through the consumer's own slot, which it leaves first: cheaper than the guest's.
/// </summary>
public sealed unsafe partial class GuestConsumer
{
    /// <inheritdoc cref="Guest.TryTranslate"/>
    [AllocationFree]
    public bool TryTranslate(Gpa gpa, Prot access, out Hpa hpa)
    {
        Exit();
        bool found = GuestTranslation.TryTranslate(_consumer, gpa.Value, access, out ulong address);
        hpa = new Hpa(address);
        return found;
    }

    /// <inheritdoc cref="Guest.Hold"/>
    [AllocationFree]
    public FaultStatus Hold(Gpa gpa, ulong length, Prot access, Span<GuestSpan> spans, out int count)
    {
        GuestArguments.RequireSpans(gpa.Value, length, spans.Length);
        Exit();
        return GuestHold.Hold(_consumer, gpa.Value, length, access, spans, out count);
    }

    /// <inheritdoc cref="Guest.Release"/>
    [AllocationFree]
    public void Release(ReadOnlySpan<GuestSpan> spans) => GuestHold.Release(_consumer, spans);

    /// <inheritdoc cref="Guest.HoldBatch"/>
    [AllocationFree]
    public int HoldBatch(ReadOnlySpan<ulong> gpa, Prot access, Span<nint> pointer, Span<FaultStatus> status)
    {
        GuestArguments.RequireColumns(gpa.Length, pointer.Length, status.Length);
        Exit();
        return GuestHoldBatch.Hold(_consumer, gpa, access, pointer, status);
    }

    /// <inheritdoc cref="Guest.ReleaseBatch"/>
    [AllocationFree]
    public void ReleaseBatch(ReadOnlySpan<nint> pointer, Prot access) =>
        GuestHoldBatch.Release(_consumer, pointer, access);

    /// <inheritdoc cref="Guest.Read"/>
    [AllocationFree]
    public FaultStatus Read(Gpa gpa, Span<byte> destination)
    {
        Exit();
        return GuestCopy.Read(_consumer, gpa.Value, destination);
    }

    /// <inheritdoc cref="Guest.Write"/>
    [AllocationFree]
    public FaultStatus Write(Gpa gpa, ReadOnlySpan<byte> source)
    {
        Exit();
        return GuestCopy.Write(_consumer, gpa.Value, source);
    }
}
