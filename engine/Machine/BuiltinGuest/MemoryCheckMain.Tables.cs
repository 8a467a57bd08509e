using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

internal sealed partial class MemoryCheckMain
{
    private const int EntryCountOffset = 0x1E8;
    private const int EntriesOffset = 0x2D0;
    private const int EntryTypeOffset = 16;
    private const int EntryBytes = 20;
    private const int TypeMemory = 1;
    private const ulong FrameMask = 0x000F_FFFF_FFFF_F000;
    private static readonly byte[] s_upperShifts = [39, 30, 21];

    // Maps each page of each memory range to itself, then loads the tables.
    private void BuildTables()
    {
        Label nextPage = _c.CreateLabel("mapNextPage");
        _c.Label(ref _buildTables);
        _c.mov(__qword_ptr[NextTableCell], (int)FinalTables);
        _c.call(_allocateTable);                            // the root is the first
        ForEachRange("map", done =>
        {
            _c.Label(ref nextPage);
            _c.cmp(rbx, rbp);
            _c.jae(done);
            _c.call(_mapPage);
            _c.add(rbx, PageBytes);
            _c.jmp(nextPage);
        });
        if (processors > 1) MapApic();
        _c.mov(eax, FinalTables);
        _c.mov(cr3, rax);
        _c.ret();
    }

    // Lists what is to be checked: each memory range without the program and its tables.
    private void CollectRanges()
    {
        Label aboveProgram = _c.CreateLabel("aboveProgram");
        Label notTables = _c.CreateLabel("notTables");
        _c.Label(ref _collectRanges);
        _c.mov(__qword_ptr[RangeCountCell], 0);
        _c.mov(__qword_ptr[WordCountCell], 0);
        ForEachRange("collect", done =>
        {
            _c.cmp(rbx, (int)ReservedEnd);
            _c.jae(aboveProgram);
            _c.mov(ebx, ReservedEnd);
            _c.Label(ref aboveProgram);
            _c.cmp(rbx, (int)FinalTables);
            _c.jne(notTables);
            _c.mov(rbx, __qword_ptr[NextTableCell]);
            _c.Label(ref notTables);
            _c.sub(rbp, rbx);
            _c.jbe(done);
            _c.shr(rbp, 3);                                 // bytes to words
            _c.mov(rax, __qword_ptr[RangeCountCell]);
            _c.inc(__qword_ptr[RangeCountCell]);
            _c.shl(rax, 4);
            _c.mov(__qword_ptr[rax + Ranges], rbx);
            _c.mov(__qword_ptr[rax + Ranges + 8], rbp);
            _c.add(__qword_ptr[WordCountCell], rbp);
        });
        _c.ret();
    }

    // Runs the body with RBX = first byte and RBP = end of each memory range, in whole pages. The body may jump to the
    // label that it is given to go on with the next range.
    private void ForEachRange(string name, System.Action<Label> body)
    {
        Label next = _c.CreateLabel(name + "Next");
        Label skip = _c.CreateLabel(name + "Skip");
        Label end = _c.CreateLabel(name + "End");
        _c.mov(rax, __qword_ptr[ZeroPageCell]);
        _c.movzx(r9d, __byte_ptr[rax + EntryCountOffset]);
        _c.lea(r8, __[rax + EntriesOffset]);
        _c.Label(ref next);
        _c.test(r9d, r9d);
        _c.jz(end);
        _c.cmp(__dword_ptr[r8 + EntryTypeOffset], TypeMemory);
        _c.jne(skip);
        _c.mov(rbx, __qword_ptr[r8]);
        _c.mov(rbp, rbx);
        _c.add(rbp, __qword_ptr[r8 + 8]);
        _c.add(rbx, PageBytes - 1);
        _c.and(rbx, -PageBytes);
        _c.and(rbp, -PageBytes);
        body(skip);
        _c.Label(ref skip);
        _c.add(r8, EntryBytes);
        _c.dec(r9d);
        _c.jmp(next);
        _c.Label(ref end);
    }

    // Maps page RBX to itself; keeps R8, R9, RBX and RBP. Memory from 1 MiB on holds no code.
    private void MapPage()
    {
        Label executable = _c.CreateLabel("executable");
        _c.Label(ref _mapPage);
        _c.mov(esi, FinalTables);
        foreach (byte shift in s_upperShifts)
        {
            Label present = _c.CreateLabel("present" + shift);
            EntryAddress(shift);
            _c.mov(rax, __qword_ptr[rdi]);
            _c.test(al, 1);
            _c.jnz(present);
            _c.push(rdi);
            _c.call(_allocateTable);
            _c.pop(rdi);
            _c.or(rax, PresentWritable);
            _c.mov(__qword_ptr[rdi], rax);
            _c.Label(ref present);
            _c.mov(rsi, FrameMask);
            _c.and(rsi, rax);
        }
        EntryAddress(12);
        _c.mov(rax, rbx);
        _c.or(rax, PresentWritable);
        _c.cmp(rbx, (int)FinalTables);
        _c.jb(executable);
        _c.bts(rax, NoExecuteBit);
        _c.Label(ref executable);
        _c.mov(__qword_ptr[rdi], rax);
        _c.ret();
    }

    // RDI = the address of the entry for RBX in table RSI, whose entries map 1 << shift bytes.
    private void EntryAddress(byte shift)
    {
        _c.mov(rdi, rbx);
        _c.shr(rdi, shift);
        _c.and(edi, EntriesPerTable - 1);
        _c.lea(rdi, __[rsi + rdi * 8]);
    }

    // RAX = a zeroed table page; changes RCX and RDI.
    private void AllocateTable()
    {
        _c.Label(ref _allocateTable);
        _c.mov(rdi, __qword_ptr[NextTableCell]);
        _c.add(__qword_ptr[NextTableCell], PageBytes);
        _c.push(rdi);
        _c.xor(eax, eax);
        _c.mov(ecx, PageBytes / sizeof(ulong));
        _c.rep.stosq();
        _c.pop(rax);
        _c.ret();
    }
}
