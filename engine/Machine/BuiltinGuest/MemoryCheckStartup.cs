using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

/// <summary>
/// The 16-bit entry of the processors that the first one starts: from real mode straight to 64-bit mode on the final
/// tables, where they go the first one's way.
/// </summary>
internal sealed class MemoryCheckStartup
{
    private const uint ExtendedFeatures = 0xC0000080;
    private const int LongModeAndNoExecute = 0x900;
    private const int PhysicalAddressExtension = 0x20;
    private const uint ProtectionPagingAndWriteProtect = 0x80010001;
    private const ushort ProgramSegment = (ushort)(MemoryCheckProgram.Gpa >> 4);
    private readonly Assembler _c = new(16);

    /// <summary>Writes the code into an assembler.</summary>
    internal Assembler Emit()
    {
        _c.cli();
        _c.cld();
        _c.mov(ax, ProgramSegment);
        _c.mov(ds, ax);
        _c.lgdt(__[(int)(DescriptorRegisterGpa - MemoryCheckProgram.Gpa)]);
        _c.mov(eax, FinalTables);
        _c.mov(cr3, eax);
        _c.mov(eax, cr4);
        _c.or(eax, PhysicalAddressExtension);
        _c.mov(cr4, eax);
        _c.mov(ecx, ExtendedFeatures);
        _c.rdmsr();
        _c.or(eax, LongModeAndNoExecute);
        _c.wrmsr();
        _c.mov(eax, cr0);
        _c.or(eax, ProtectionPagingAndWriteProtect);
        _c.mov(cr0, eax);
        _c.jmp(__fword_ptr[(int)(FarTargetGpa - MemoryCheckProgram.Gpa)]);
        return _c;
    }
}
