namespace Pagoda.Machine.Dump;

/// <summary>The format of the tables below a root.</summary>
public enum RootKind : byte
{
    /// <summary>Intel's extended page tables; the register is an EPTP.</summary>
    Ept,

    /// <summary>AMD's nested page tables; the register is an nCR3.</summary>
    Npt,

    /// <summary>64-bit x86 paging; the register is a CR3.</summary>
    X86,
}

/// <summary>Who sets the accessed and dirty bits below a root.</summary>
public enum RootAccessedDirty : byte
{
    /// <summary>The processor, at the positions of the format.</summary>
    Hardware,

    /// <summary>The engine: A is the hardware read right, D its write right, bits 52 to 54 the engine's.</summary>
    Emulated,
}

/// <summary>One tree of page tables in a core: what its <c>PAGODA</c> note says of it.</summary>
/// <param name="Guest">Name of the guest that the tree maps; free text, may be empty.</param>
/// <param name="Kind">The format.</param>
/// <param name="Register">The whole root register: EPTP, nCR3 or CR3.</param>
/// <param name="Levels">Table levels, 4 or 5.</param>
/// <param name="PhysBits">Width of a physical address in bits, 32 to 52.</param>
/// <param name="AccessedDirty">Who sets accessed and dirty bits.</param>
public sealed record CoreRoot(
    string Guest, RootKind Kind, ulong Register, int Levels, int PhysBits, RootAccessedDirty AccessedDirty);
