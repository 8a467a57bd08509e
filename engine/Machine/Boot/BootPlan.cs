using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Pagoda.Machine.Boot;

/// <summary>Bytes that are written into guest memory before the first instruction.</summary>
/// <param name="gpa">The guest-physical address of the first.</param>
/// <param name="data">The bytes.</param>
public readonly struct BootSegment(ulong gpa, ReadOnlyMemory<byte> data)
{
    /// <summary>The guest-physical address of the first byte.</summary>
    public readonly ulong Gpa = gpa;

    /// <summary>The bytes.</summary>
    public readonly ReadOnlyMemory<byte> Data = data;
}

/// <summary>
/// How a guest starts: what lies in its memory and where the first vCPU begins, in protected mode with flat segments,
/// paging and interrupts off, ESI at the zero page (Linux x86 boot protocol, "32-bit Boot Protocol").
/// </summary>
public sealed class BootPlan
{
    /// <summary>Where the descriptor table lies; the segment registers hold its entries.</summary>
    public const uint GdtGpa = 0x6000;

    /// <summary>The last byte of the descriptor table, counted from its first.</summary>
    public const ushort GdtLimit = 0x1F;

    /// <summary>The flat code segment: base 0, limit 4 GiB, 32 bits.</summary>
    public const ushort CodeSelector = 0x10;

    /// <summary>The flat data segment: base 0, limit 4 GiB.</summary>
    public const ushort DataSelector = 0x18;

    /// <summary>The stack starts below the descriptor table.</summary>
    public const uint StackTop = 0x6000;

    /// <summary>The page of boot parameters.</summary>
    public const uint ZeroPageGpa = 0x7000;

    /// <summary>The command line.</summary>
    public const uint CommandLineGpa = 0x8000;

    /// <summary>Where a bzImage's protected-mode part is loaded.</summary>
    public const uint KernelGpa = 0x100000;

    private const ulong CodeDescriptor = 0x00CF_9B00_0000_FFFF;
    private const ulong DataDescriptor = 0x00CF_9300_0000_FFFF;

    private BootPlan(uint entryPoint, IReadOnlyList<BootSegment> segments)
    {
        EntryPoint = entryPoint;
        Segments = segments;
    }

    /// <summary>The first instruction.</summary>
    public uint EntryPoint { get; }

    /// <summary>What lies in memory; no two overlap.</summary>
    public IReadOnlyList<BootSegment> Segments { get; }

    /// <summary>Plans the start of a Linux kernel.</summary>
    /// <exception cref="MachineException">The kernel does not fit, or its command line is too long.</exception>
    public static BootPlan ForKernel(KernelImage kernel, string commandLine, MemoryMap map)
    {
        ulong room = map.LowEnd - KernelGpa;
        if (kernel.BytesNeeded > room)
        {
            throw new MachineException(MachineSubject.Memory, string.Create(CultureInfo.InvariantCulture,
                $"the kernel needs {kernel.BytesNeeded} bytes from 1 MiB on, the guest's memory has {room} there; ")
                + "give the guest more memory.");
        }
        byte[] line = CommandLine(commandLine, kernel.CommandLineBytesMax);
        return new BootPlan(KernelGpa,
        [
            Descriptors(),
            Parameters(kernel.Header, KernelGpa, map),
            new BootSegment(CommandLineGpa, line),
            new BootSegment(KernelGpa, kernel.Payload),
        ]);
    }

    /// <summary>Plans the start of a bare program, which is handed the memory map like a kernel.</summary>
    public static BootPlan ForProgram(uint gpa, ReadOnlyMemory<byte> program, MemoryMap map) => new(gpa,
    [
        Descriptors(),
        Parameters([], gpa, map),
        new BootSegment(CommandLineGpa, new byte[1]),
        new BootSegment(gpa, program),
    ]);

    private static BootSegment Descriptors()
    {
        var table = new byte[GdtLimit + 1];
        BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(CodeSelector), CodeDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(DataSelector), DataDescriptor);
        return new BootSegment(GdtGpa, table);
    }

    private static BootSegment Parameters(ReadOnlySpan<byte> header, uint loadAddress, MemoryMap map)
    {
        var page = new byte[ZeroPage.Bytes];
        ZeroPage.Fill(page, header, loadAddress, CommandLineGpa, map);
        return new BootSegment(ZeroPageGpa, page);
    }

    private static byte[] CommandLine(string text, int bytesMax)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text + "\0");
        if (bytes.AsSpan().IndexOf((byte)0) != bytes.Length - 1)
        {
            throw new MachineException(MachineSubject.CommandLine,
                "the command line has a zero byte inside; leave it out.");
        }
        if (bytes.Length - 1 <= bytesMax) return bytes;
        throw new MachineException(MachineSubject.CommandLine, string.Create(CultureInfo.InvariantCulture,
            $"the command line has {bytes.Length - 1} bytes, the kernel takes {bytesMax}; shorten it."));
    }
}
