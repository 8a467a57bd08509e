using System;
using System.IO;
using Iced.Intel;
using Pagoda.Core;

namespace Pagoda.Machine.BuiltinGuest;

/// <summary>
/// The built-in guest: a 64-bit program of our own that checks all its memory and reports over the serial line.
/// </summary>
/// <remarks>
/// It is entered in 32-bit protected mode like a kernel, with ESI at the zero page. It then
/// <list type="number">
/// <item>identity-maps 4 GiB by 2 MiB pages and enters 64-bit mode;</item>
/// <item>builds, from 1 MiB on, tables of 4 KiB pages for all memory that the zero page names, loads them;</item>
/// <item>fills and verifies all memory but its own, ascending, descending and strided, each with four patterns: a
/// word's address, its complement, a pseudo-random function of it, alternating bits;</item>
/// <item>requires that each checked page is marked accessed and dirty in its tables;</item>
/// <item>with more processors: starts them before the check; each fills its share of every range and verifies the
/// next one's; then all change shared cells with locked instructions and under a lock, and the sums must be exact;
/// </item>
/// <item>prints "Errors: N", leaves N at <see cref="ErrorCountGpa"/> and halts with interrupts off.</item>
/// </list>
/// </remarks>
public static class MemoryCheckProgram
{
    /// <summary>Where the program lies and starts.</summary>
    public const uint Gpa = 0x10000;

    /// <summary>Where it leaves the number of errors, as 64 bits, when it halts.</summary>
    public const ulong ErrorCountGpa = MemoryCheckLayout.ErrorCountCell;

    /// <summary>Processors at most: there are so many stacks.</summary>
    public const int ProcessorsMax = MachineOptions.ProcessorsMax;

    /// <summary>Assembles the program for <see cref="Gpa"/>.</summary>
    /// <param name="processors">Processors of the machine, 1 to <see cref="ProcessorsMax"/>.</param>
    public static byte[] Assemble(int processors = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(processors, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(processors, ProcessorsMax);
        var program = new MemoryStream();
        new MemoryCheckEntry().Emit().Assemble(new StreamCodeWriter(program), Gpa);
        Invariant.Require(program.Length <= MemoryCheckLayout.EntryDataGpa - Gpa);
        program.SetLength(MemoryCheckLayout.EntryDataGpa - Gpa);
        program.Position = program.Length;
        program.Write(MemoryCheckEntry.Data());
        new MemoryCheckMain(processors).Emit().Assemble(new StreamCodeWriter(program), MemoryCheckLayout.LongModeGpa);
        Invariant.Require(program.Length <= MemoryCheckLayout.StartupGpa - Gpa);
        if (processors > 1)
        {
            program.SetLength(MemoryCheckLayout.StartupGpa - Gpa);
            program.Position = program.Length;
            new MemoryCheckStartup().Emit().Assemble(new StreamCodeWriter(program), 0);
        }
        return program.ToArray();
    }
}
