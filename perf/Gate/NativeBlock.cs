using System;
using System.Runtime.InteropServices;

namespace Pagoda.Perf.Gate;

/// <summary>Zeroed native memory, aligned to a page, for what a workload needs beside the engine.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    private const nuint Alignment = 4096;

    /// <summary>Takes the memory.</summary>
    public NativeBlock(int bytes)
    {
        Base = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        NativeMemory.Clear(Base, (nuint)bytes);
    }

    /// <summary>The first byte.</summary>
    public byte* Base { get; private set; }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Base);
        Base = null;
    }
}
