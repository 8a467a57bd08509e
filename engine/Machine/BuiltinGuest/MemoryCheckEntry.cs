using System;
using System.Buffers.Binary;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

/// <summary>The 32-bit entry: a first identity map of 4 GiB by 2 MiB pages, then 64-bit mode.</summary>
internal sealed class MemoryCheckEntry
{
    private const uint ExtendedFeatures = 0xC0000080;
    private const int LongModeAndNoExecute = 0x900;
    private const int PhysicalAddressExtension = 0x20;
    private const uint PagingAndWriteProtect = 0x80010000;
    private const int LargePageBytes = 0x200000;
    private const ulong CodeDescriptor = 0x00AF_9B00_0000_FFFF;
    private const ulong DataDescriptor = 0x00CF_9300_0000_FFFF;
    private const int DescriptorBytes = 3 * sizeof(ulong);
    private readonly Assembler _c = new(32);

    /// <summary>Writes the code into an assembler.</summary>
    internal Assembler Emit()
    {
        _c.cli();
        _c.cld();
        _c.mov(esp, StackTop);
        _c.mov(__dword_ptr[ZeroPageCell], esi);
        _c.mov(__dword_ptr[ZeroPageCell + 4], 0);
        BuildEarlyTables();
        EnterLongMode();
        return _c;
    }

    private void BuildEarlyTables()
    {
        _c.mov(edi, EarlyTables);
        _c.xor(eax, eax);
        _c.mov(ecx, (2 + EarlyDirectories) * PageBytes / sizeof(uint));
        _c.rep.stosd();
        _c.mov(__dword_ptr[EarlyTables], EarlyTables + PageBytes + PresentWritable);
        for (uint i = 0; i < EarlyDirectories; i++)
        {
            _c.mov(__dword_ptr[EarlyTables + PageBytes + 8 * i], EarlyTables + (2 + i) * PageBytes + PresentWritable);
        }
        Label next = _c.CreateLabel("nextLargePage");
        _c.mov(edi, EarlyTables + 2 * PageBytes);
        _c.mov(eax, PresentWritableLarge);
        _c.mov(ecx, EarlyDirectories * EntriesPerTable);
        _c.Label(ref next);
        _c.mov(__dword_ptr[edi], eax);
        _c.add(edi, 8);
        _c.add(eax, LargePageBytes);
        _c.dec(ecx);
        _c.jnz(next);
    }

    private void EnterLongMode()
    {
        _c.mov(eax, EarlyTables);
        _c.mov(cr3, eax);
        _c.mov(eax, cr4);
        _c.or(eax, PhysicalAddressExtension);
        _c.mov(cr4, eax);
        _c.mov(ecx, ExtendedFeatures);
        _c.rdmsr();
        _c.or(eax, LongModeAndNoExecute);
        _c.wrmsr();
        _c.mov(eax, cr0);
        _c.or(eax, PagingAndWriteProtect);
        _c.mov(cr0, eax);
        _c.lgdt(__[DescriptorRegisterGpa]);
        _c.jmp(__fword_ptr[FarTargetGpa]);
    }

    /// <summary>
    /// The code's data, which lies at <see cref="EntryDataGpa"/>: descriptors, their register, the far jump's target.
    /// </summary>
    internal static byte[] Data()
    {
        var data = new byte[EntryDataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(CodeSelector), CodeDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(DataSelector), DataDescriptor);
        Span<byte> register = data.AsSpan((int)(DescriptorRegisterGpa - EntryDataGpa));
        BinaryPrimitives.WriteUInt16LittleEndian(register, DescriptorBytes - 1);
        BinaryPrimitives.WriteUInt32LittleEndian(register[sizeof(ushort)..], EntryDataGpa);
        Span<byte> target = data.AsSpan((int)(FarTargetGpa - EntryDataGpa));
        BinaryPrimitives.WriteUInt32LittleEndian(target, LongModeGpa);
        BinaryPrimitives.WriteUInt16LittleEndian(target[sizeof(uint)..], CodeSelector);
        return data;
    }
}
