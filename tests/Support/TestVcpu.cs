using System;
using System.Threading;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.Tests.Support;

/// <summary>
/// The memory side of a vCPU as hardware would have it: it walks the nested tables with every access, caches nothing,
/// and submits the faults that it meets.
/// </summary>
public sealed unsafe class TestVcpu(Guest guest) : IDisposable
{
    private const int AttemptsMax = 8;

    /// <summary>The consumer.</summary>
    public GuestConsumer Consumer { get; } = guest.AddConsumer();

    /// <summary>Faults submitted so far.</summary>
    public int Faults { get; private set; }

    /// <summary>Makes one access inside a page; on success the host address of the byte, to be used at once.</summary>
    public FaultStatus TryAccess(ulong gpa, Prot access, out byte* host)
    {
        host = null;
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            if (!Consumer.Enter(out bool flush)) return FaultStatus.Destroyed;
            if (flush) Consumer.Acknowledge();
            if (Consumer.TryWalk(gpa, access, out ulong hpa, out _))
            {
                Consumer.Exit();
                if (!guest.Arena.IsArena(hpa)) return FaultStatus.NoMapping;
                host = guest.Arena.DirectMap(hpa);
                return FaultStatus.Resolved;
            }
            Faults++;
            FaultStatus status = Consumer.Fault(gpa, access, out _);
            if (status > FaultStatus.Emulated) return status;
        }
        throw new InvalidOperationException("faults at 0x" + gpa.ToString("x", null) + " make no progress");
    }

    /// <summary>
    /// Reads a byte, or writes it, inside the slot, as a vCPU does beside threads that take pages away.
    /// </summary>
    public FaultStatus Touch(ulong gpa, byte? written, out byte value)
    {
        Prot access = written is null ? Prot.Read : Prot.Write;
        value = 0;
        while (true)
        {
            if (!Consumer.Enter(out bool flush)) return FaultStatus.Destroyed;
            if (flush) Consumer.Acknowledge();
            if (Consumer.TryWalk(gpa, access, out ulong hpa, out _))
            {
                byte* host = guest.Arena.DirectMap(hpa);
                if (written is not null) Volatile.Write(ref *host, written.Value);
                value = Volatile.Read(ref *host);
                Consumer.Exit();
                return FaultStatus.Resolved;
            }
            Faults++;
            FaultStatus status = Consumer.Fault(gpa, access, out _);
            if (status > FaultStatus.Emulated) return status;
        }
    }

    /// <summary>Reads a byte; throws when it cannot.</summary>
    public byte Read(ulong gpa)
    {
        FaultStatus status = TryAccess(gpa, Prot.Read, out byte* host);
        return status == FaultStatus.Resolved ? *host : throw new InvalidOperationException("read: " + status);
    }

    /// <summary>Writes a byte; throws when it cannot.</summary>
    public void Write(ulong gpa, byte value)
    {
        FaultStatus status = TryAccess(gpa, Prot.Write, out byte* host);
        if (status != FaultStatus.Resolved) throw new InvalidOperationException("write: " + status);
        *host = value;
    }

    /// <summary>Gives the consumer up.</summary>
    public void Dispose() => Consumer.Dispose();
}
