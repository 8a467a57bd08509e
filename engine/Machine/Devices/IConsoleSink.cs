using System;
using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>Takes what a guest prints. Called by the machine's thread, outside guest instructions.</summary>
[AllocationFree]
public interface IConsoleSink
{
    /// <summary>Takes all of <paramref name="bytes"/>; false when they cannot be written, which ends the run.</summary>
    bool Write(ReadOnlySpan<byte> bytes);
}
