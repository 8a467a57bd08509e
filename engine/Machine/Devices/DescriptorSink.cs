using System;
using Pagoda.Core;
using Pagoda.Linux;

namespace Pagoda.Machine.Devices;

/// <summary>A console sink that writes to an open file descriptor by the system call alone.</summary>
/// <remarks>The descriptor stays its owner's. One host thread.</remarks>
[AllocationFree]
public sealed unsafe class DescriptorSink : IConsoleSink
{
    /// <summary>The descriptor of a process's standard output.</summary>
    public const int StandardOutput = 1;

    private readonly int _descriptor;

    /// <summary>A sink for a descriptor. Writes nothing, but binds the system call, which allocates once.</summary>
    public DescriptorSink(int descriptor)
    {
        _descriptor = descriptor;
        _ = Libc.Write(descriptor, null, 0);
    }

    /// <summary>What the system said when it refused bytes; 0 before.</summary>
    public int Failure { get; private set; }

    /// <inheritdoc/>
    public bool Write(ReadOnlySpan<byte> bytes)
    {
        // SAFETY: the call reads the pinned bytes only.
        fixed (byte* first = bytes) Failure = Libc.Write(_descriptor, first, (nuint)bytes.Length);
        return Failure == 0;
    }
}
