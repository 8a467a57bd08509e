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
/// <item>prints "Errors: N", leaves N at <see cref="ErrorCountGpa"/> and halts with interrupts off.</item>
/// </list>
/// </remarks>
public static class MemoryCheckProgram
{
    /// <summary>Where the program lies and starts.</summary>
    public const uint Gpa = 0x10000;

    /// <summary>Where it leaves the number of errors, as 64 bits, when it halts.</summary>
    public const ulong ErrorCountGpa = MemoryCheckLayout.ErrorCountCell;

    /// <summary>Assembles the program for <see cref="Gpa"/>.</summary>
    public static byte[] Assemble()
    {
        var program = new MemoryStream();
        new MemoryCheckEntry().Emit().Assemble(new StreamCodeWriter(program), Gpa);
        Invariant.Require(program.Length <= MemoryCheckLayout.EntryDataGpa - Gpa);
        program.SetLength(MemoryCheckLayout.EntryDataGpa - Gpa);
        program.Position = program.Length;
        program.Write(MemoryCheckEntry.Data());
        new MemoryCheckMain().Emit().Assemble(new StreamCodeWriter(program), MemoryCheckLayout.LongModeGpa);
        Invariant.Require(program.Length <= MemoryCheckLayout.StackBottom - Gpa);
        return program.ToArray();
    }
}
