namespace Pagoda.Machine.Dump;

/// <summary>Numbers of an ELF64 core file, as elf.h and the System V ABI give them.</summary>
/// <remarks>
/// What Pagoda writes, in file order: the header; section header 0, only where more than 65,534 segments need its
/// <c>sh_info</c>; the program headers (one PT_NOTE, then one PT_LOAD a run of frames in ascending order, with
/// <c>p_vaddr = p_paddr</c> = HPA); the note; and from the next page boundary on the runs, page after page. Pages of
/// zeros are holes of the file.
/// </remarks>
public static class ElfCore
{
    public const uint Magic = 0x464C457F;           // 7F 'E' 'L' 'F'
    public const byte Class64 = 2;
    public const byte LittleEndian = 1;
    public const byte CurrentVersion = 1;
    public const ushort TypeCore = 4;
    public const ushort MachineX64 = 62;

    public const uint SegmentLoad = 1;
    public const uint SegmentNote = 4;
    public const uint FlagsReadWrite = 6;

    /// <summary>e_phnum when the number of program headers stands in section header 0.</summary>
    public const ushort ManyProgramHeaders = 0xFFFF;

    public const int HeaderBytes = 64;
    public const int ProgramHeaderBytes = 56;
    public const int SectionHeaderBytes = 64;
    public const int NoteHeaderBytes = 12;
    public const int NoteAlignment = 4;

    /// <summary>The name of our note.</summary>
    public const string NoteName = "PAGODA";

    /// <summary>The type of our note: its version.</summary>
    public const uint NoteType = 1;
}
