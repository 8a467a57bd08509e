using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

internal sealed partial class MemoryCheckMain
{
    private const int StrideWords = 65;         // eight words of a page, then the next page: a sweep of the TLB
    private const int WordBytes = 8;

    // Fills (EBP = 0) or verifies (EBP = 1) every range in the order R12.
    private void SweepAll()
    {
        Label next = _c.CreateLabel("sweepNext");
        Label descending = _c.CreateLabel("sweepDescending");
        Label strided = _c.CreateLabel("sweepStrided");
        Label done = _c.CreateLabel("sweepDone");
        _c.Label(ref _sweepAll);
        _c.xor(ebx, ebx);
        _c.Label(ref next);
        _c.mov(rax, rbx);
        _c.shl(rax, 4);
        _c.mov(rdi, __qword_ptr[rax + Ranges]);
        _c.mov(rcx, __qword_ptr[rax + Ranges + 8]);
        if (processors > 1) OwnShare(done);
        _c.cmp(r12d, OrderDescending);
        _c.je(descending);
        _c.ja(strided);
        _c.mov(r8d, WordBytes);
        _c.call(_run);
        _c.jmp(done);
        _c.Label(ref descending);
        _c.lea(rdi, __[rdi + rcx * 8 - WordBytes]);
        _c.mov(r8, -WordBytes);
        _c.call(_run);
        _c.jmp(done);
        _c.Label(ref strided);
        Strided(done);
        _c.Label(ref done);
        _c.inc(rbx);
        _c.cmp(rbx, __qword_ptr[RangeCountCell]);
        _c.jb(next);
        _c.ret();
    }

    // The RCX words from RDI on as one run for each remainder of the index by the stride,
    // then on to the label that follows.
    private void Strided(Label end)
    {
        Label next = _c.CreateLabel("strideNext");
        _c.mov(rsi, rdi);
        _c.mov(r9, rcx);
        _c.xor(r8d, r8d);
        _c.Label(ref next);
        _c.mov(rax, r9);
        _c.sub(rax, r8);
        _c.jbe(end);
        _c.add(rax, StrideWords - 1);
        _c.xor(edx, edx);
        _c.mov(ecx, StrideWords);
        _c.div(rcx);
        _c.mov(rcx, rax);
        _c.lea(rdi, __[rsi + r8 * 8]);
        _c.push(r8);
        _c.mov(r8d, StrideWords * WordBytes);
        _c.call(_run);
        _c.pop(r8);
        _c.inc(r8d);
        _c.cmp(r8d, StrideWords);
        _c.jb(next);
    }

    // Fills or verifies RCX words from RDI on, R8 bytes apart; keeps RBX, RSI, R8 and R9.
    private void Run()
    {
        Label fill = _c.CreateLabel("fill");
        Label verify = _c.CreateLabel("verify");
        Label verified = _c.CreateLabel("verified");
        Label wrong = _c.CreateLabel("wrong");
        _c.Label(ref _run);
        _c.test(ebp, ebp);
        _c.jnz(verify);
        _c.Label(ref fill);
        Value();
        _c.mov(__qword_ptr[rdi], rax);
        _c.add(rdi, r8);
        _c.dec(rcx);
        _c.jnz(fill);
        _c.ret();
        _c.Label(ref verify);
        Value();
        _c.cmp(__qword_ptr[rdi], rax);
        _c.jne(wrong);
        _c.Label(ref verified);
        _c.add(rdi, r8);
        _c.dec(rcx);
        _c.jnz(verify);
        _c.ret();
        _c.Label(ref wrong);
        Report(verified);
    }

    // RAX = what the word at RDI is to hold.
    private void Value()
    {
        _c.mov(rax, rdi);
        _c.imul(rax, r10);
        _c.xor(rax, r11);
    }

    // Counts a wrong word at RDI, expected RAX, and shows the first few.
    private void Report(Label back)
    {
        _c.inc(r15);
        _c.cmp(r15, ErrorsShownMax);
        _c.ja(back);
        _c.push(rsi);
        _c.push(rcx);
        _c.push(rax);
        if (processors > 1) AcquireLock(PrintLockCell, "print");
        Print(_textAt);
        _c.mov(rax, rdi);
        _c.call(_printHexadecimal);
        Print(_textExpected);
        _c.pop(rax);
        _c.call(_printHexadecimal);
        Print(_textFound);
        _c.mov(rax, __qword_ptr[rdi]);
        _c.call(_printHexadecimal);
        Print(_textNewLine);
        if (processors > 1) ReleaseLock(PrintLockCell);
        _c.pop(rcx);
        _c.pop(rsi);
        _c.jmp(back);
    }

    // Every checked page was read and written, so the processor must have marked it so.
    private void CheckMarks()
    {
        Label nextRange = _c.CreateLabel("marksNextRange");
        Label nextPage = _c.CreateLabel("marksNextPage");
        Label marked = _c.CreateLabel("marked");
        Label failed = _c.CreateLabel("marksFailed");
        Label end = _c.CreateLabel("marksEnd");
        _c.Label(ref _checkMarks);
        Print(_textMarks);
        _c.mov(r14, r15);
        _c.xor(r13d, r13d);
        _c.Label(ref nextRange);
        _c.mov(rax, r13);
        _c.shl(rax, 4);
        _c.mov(rbx, __qword_ptr[rax + Ranges]);
        _c.mov(rbp, __qword_ptr[rax + Ranges + 8]);
        _c.lea(rbp, __[rbx + rbp * 8]);
        _c.Label(ref nextPage);
        _c.mov(esi, FinalTables);
        foreach (byte shift in s_upperShifts)
        {
            EntryAddress(shift);
            _c.mov(rsi, FrameMask);
            _c.and(rsi, __qword_ptr[rdi]);
        }
        EntryAddress(12);
        _c.mov(rax, __qword_ptr[rdi]);
        _c.and(eax, AccessedDirty);
        _c.cmp(eax, AccessedDirty);
        _c.je(marked);
        _c.inc(r15);
        _c.Label(ref marked);
        _c.add(rbx, PageBytes);
        _c.cmp(rbx, rbp);
        _c.jb(nextPage);
        _c.inc(r13);
        _c.cmp(r13, __qword_ptr[RangeCountCell]);
        _c.jb(nextRange);
        _c.mov(rax, r15);
        _c.sub(rax, r14);
        _c.jnz(failed);
        Print(_textOk);
        _c.jmp(end);
        _c.Label(ref failed);
        _c.call(_printDecimal);
        Print(_textErrors);
        _c.Label(ref end);
        _c.ret();
    }
}
