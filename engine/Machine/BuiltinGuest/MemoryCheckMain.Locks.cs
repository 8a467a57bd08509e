using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

// What all processors do at once to the same cells, and the sums that must come out.
internal sealed partial class MemoryCheckMain
{
    private const int LockRounds = 1000;
    private const int ComparedStep = 3;
    private const int PairHighStep = 2;

    // Lets all work on the shared cells, then requires the exact sums and ends the team.
    private void TeamLocks()
    {
        Label failed = _c.CreateLabel("locksFailed");
        Label end = _c.CreateLabel("locksEnd");
        _c.Label(ref _teamLocks);
        Print(_textLocks);
        _c.mov(r14, r15);
        _c.mov(__qword_ptr[TaskCell], TaskLocks);
        _c.call(_meet);
        _c.call(_lockWork);
        _c.call(_meet);
        ulong total = (ulong)processors * LockRounds;
        Expect(CounterCell, total);
        Expect(TicketCell, total);
        Expect(TicketSumCell, total * (total - 1) / 2);
        Expect(GuardedCell, total);
        Expect(GuardedFarCell, total);
        Expect(ComparedCell, total * ComparedStep);
        Expect(PairCell, total);
        Expect(PairCell + 8, total * PairHighStep);
        Expect(SplitCell, total);
        _c.mov(rax, __qword_ptr[ExchangedCell]);
        _c.add(__qword_ptr[ExchangedSumCell], rax);
        Expect(ExchangedSumCell, total * (LockRounds + 1) / 2);
        _c.mov(__qword_ptr[TaskCell], TaskEnd);
        _c.call(_meet);
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

    private void Expect(uint cell, ulong value)
    {
        Label right = _c.CreateLabel("right" + cell);
        _c.mov(rax, value);
        _c.cmp(__qword_ptr[cell], rax);
        _c.je(right);
        _c.inc(r15);
        _c.Label(ref right);
        _c.nop();
    }

    // One processor's part: R9 rounds from the last to 1.
    private void LockWork()
    {
        Label next = _c.CreateLabel("lockNext");
        Label compare = _c.CreateLabel("lockCompare");
        Label pair = _c.CreateLabel("lockPair");
        _c.Label(ref _lockWork);
        _c.mov(r9d, LockRounds);
        _c.Label(ref next);
        _c.@lock.inc(__qword_ptr[CounterCell]);
        _c.mov(eax, 1);
        _c.@lock.xadd(__qword_ptr[TicketCell], rax);
        _c.@lock.add(__qword_ptr[TicketSumCell], rax);
        AcquireLock(LockCell, "work");
        _c.inc(__qword_ptr[GuardedCell]);
        _c.inc(__qword_ptr[GuardedFarCell]);
        ReleaseLock(LockCell);
        _c.mov(rax, __qword_ptr[ComparedCell]);
        _c.Label(ref compare);
        _c.lea(rcx, __[rax + ComparedStep]);
        _c.@lock.cmpxchg(__qword_ptr[ComparedCell], rcx);
        _c.jne(compare);
        _c.mov(rax, __qword_ptr[PairCell]);
        _c.mov(rdx, __qword_ptr[PairCell + 8]);
        _c.Label(ref pair);
        _c.lea(rbx, __[rax + 1]);
        _c.lea(rcx, __[rdx + PairHighStep]);
        _c.@lock.cmpxchg16b(__[PairCell]);
        _c.jne(pair);
        _c.@lock.inc(__qword_ptr[SplitCell]);
        _c.mov(rax, r9);
        _c.xchg(__qword_ptr[ExchangedCell], rax);
        _c.@lock.add(__qword_ptr[ExchangedSumCell], rax);
        _c.dec(r9);
        _c.jnz(next);
        _c.ret();
    }
}
