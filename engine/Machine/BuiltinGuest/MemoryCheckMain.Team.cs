using Iced.Intel;
using Pagoda.Machine.Apic;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

// The processors as a team: the first one leaves a task in the cells, all meet, each does its share, all meet again.
internal sealed partial class MemoryCheckMain
{
    private const int TaskSweep = 0;
    private const int TaskLocks = 1;
    private const int TaskEnd = 2;
    private const int ApicIdOffset = 0x20;
    private const int ApicCommandOffset = 0x300;
    private const int ApicIdShift = 24;
    private const int AllOthers = 3 << 18;
    private const int Assert = 1 << 14;
    private const int InitOthers = AllOthers | Assert | (int)DeliveryMode.Init << 8;
    private const int StartOthersHere = AllOthers | Assert | (int)DeliveryMode.Startup << 8 | (int)(StartupGpa >> 12);
    private const int PausesBeforeStart = 1000;         // ten milliseconds
    private Label _joinTeam;
    private Label _startOthers;
    private Label _meet;
    private Label _teamSweep;
    private Label _teamLocks;
    private Label _lockWork;
    private Label _textProcessors;
    private Label _textLocks;

    private void CreateTeamLabels()
    {
        _joinTeam = _c.CreateLabel("joinTeam");
        _startOthers = _c.CreateLabel("startOthers");
        _meet = _c.CreateLabel("meet");
        _teamSweep = _c.CreateLabel("teamSweep");
        _teamLocks = _c.CreateLabel("teamLocks");
        _lockWork = _c.CreateLabel("lockWork");
        _textProcessors = _c.CreateLabel("textProcessors");
        _textLocks = _c.CreateLabel("textLocks");
    }

    private void Team()
    {
        StartOthers();
        JoinTeam();
        Meet();
        TeamSweep();
        TeamLocks();
        LockWork();
    }

    private void TeamData()
    {
        Text(ref _textProcessors, " processors\n");
        Text(ref _textLocks, "locked instructions and locks: ");
    }

    // All come this way; whoever comes when there is a team belongs to it.
    private void LetOthersJoin()
    {
        _c.cmp(__qword_ptr[TeamCell], 0);
        _c.jne(_joinTeam);
    }

    private void MapApic()
    {
        _c.mov(ebx, unchecked((uint)LocalApic.Gpa));
        _c.call(_mapPage);
    }

    // INIT and start-up messages to all others; then waits until they are here.
    private void StartOthers()
    {
        Label pause = _c.CreateLabel("startPause");
        Label wait = _c.CreateLabel("startWait");
        _c.Label(ref _startOthers);
        _c.mov(__qword_ptr[TeamCell], 1);
        _c.mov(esi, unchecked((uint)LocalApic.Gpa));
        _c.mov(__dword_ptr[rsi + ApicCommandOffset], InitOthers);
        _c.mov(ecx, PausesBeforeStart);
        _c.Label(ref pause);
        _c.pause();
        _c.dec(ecx);
        _c.jnz(pause);
        _c.mov(__dword_ptr[rsi + ApicCommandOffset], StartOthersHere);
        _c.Label(ref wait);
        _c.pause();
        _c.cmp(__qword_ptr[JoinedCell], processors - 1);
        _c.jb(wait);
        _c.mov(rax, __qword_ptr[JoinedCell]);
        _c.inc(rax);
        _c.call(_printDecimal);
        Print(_textProcessors);
        _c.ret();
    }

    // Another processor: takes its stack and does tasks until there is none.
    private void JoinTeam()
    {
        Label next = _c.CreateLabel("taskNext");
        Label sweep = _c.CreateLabel("taskSweep");
        Label done = _c.CreateLabel("taskDone");
        Label halt = _c.CreateLabel("taskHalt");
        _c.Label(ref _joinTeam);
        OwnNumber();
        _c.dec(eax);
        _c.imul(eax, eax, OtherStackBytes);
        _c.mov(esp, OtherStacksTop);
        _c.sub(esp, eax);
        _c.xor(r15d, r15d);
        _c.@lock.inc(__qword_ptr[JoinedCell]);
        _c.Label(ref next);
        _c.call(_meet);
        _c.mov(rax, __qword_ptr[TaskCell]);
        _c.cmp(eax, TaskLocks);
        _c.jb(sweep);
        _c.ja(halt);
        _c.call(_lockWork);
        _c.jmp(done);
        _c.Label(ref sweep);
        _c.mov(r12, __qword_ptr[TaskOrderCell]);
        _c.mov(r10, __qword_ptr[TaskMultiplierCell]);
        _c.mov(r11, __qword_ptr[TaskMaskCell]);
        _c.mov(rbp, __qword_ptr[TaskVerifiesCell]);
        _c.call(_sweepAll);
        _c.@lock.add(__qword_ptr[TeamErrorsCell], r15);
        _c.xor(r15d, r15d);
        _c.Label(ref done);
        _c.call(_meet);
        _c.jmp(next);
        _c.Label(ref halt);
        _c.cli();
        _c.hlt();
        _c.jmp(halt);
    }

    // Waits until all are here.
    private void Meet()
    {
        Label wait = _c.CreateLabel("meetWait");
        Label last = _c.CreateLabel("meetLast");
        _c.Label(ref _meet);
        _c.mov(rdx, __qword_ptr[PhaseCell]);
        _c.mov(eax, 1);
        _c.@lock.xadd(__qword_ptr[ArrivedCell], rax);
        _c.cmp(eax, processors - 1);
        _c.je(last);
        _c.Label(ref wait);
        _c.pause();
        _c.cmp(__qword_ptr[PhaseCell], rdx);
        _c.je(wait);
        _c.ret();
        _c.Label(ref last);
        _c.mov(__qword_ptr[ArrivedCell], 0);
        _c.inc(__qword_ptr[PhaseCell]);
        _c.ret();
    }

    // Lets all sweep; their errors come to R15.
    private void TeamSweep()
    {
        _c.Label(ref _teamSweep);
        _c.mov(__qword_ptr[TaskOrderCell], r12);
        _c.mov(__qword_ptr[TaskMultiplierCell], r10);
        _c.mov(__qword_ptr[TaskMaskCell], r11);
        _c.mov(__qword_ptr[TaskVerifiesCell], rbp);
        _c.mov(__qword_ptr[TaskCell], TaskSweep);
        _c.call(_meet);
        _c.call(_sweepAll);
        _c.call(_meet);
        _c.xor(eax, eax);
        _c.xchg(__qword_ptr[TeamErrorsCell], rax);
        _c.add(r15, rax);
        _c.ret();
    }

    // EAX = this processor's number; changes RSI.
    private void OwnNumber()
    {
        _c.mov(esi, unchecked((uint)LocalApic.Gpa));
        _c.mov(eax, __dword_ptr[rsi + ApicIdOffset]);
        _c.shr(eax, ApicIdShift);
    }

    // Cuts this processor's share from the RCX words at RDI: its own to fill (EBP = 0), the next one's to verify
    // (EBP = 1). Jumps if there is none.
    private void OwnShare(Label none)
    {
        Label isLast = _c.CreateLabel("shareLast");
        OwnNumber();
        _c.add(eax, ebp);
        _c.cmp(eax, processors);
        _c.jb(isLast);
        _c.sub(eax, processors);
        _c.Label(ref isLast);
        _c.mov(r8d, processors);
        _c.mov(rsi, rax);
        _c.imul(rax, rcx);
        _c.xor(edx, edx);
        _c.div(r8);
        _c.mov(r9, rax);                                    // the first word
        _c.lea(rax, __[rsi + 1]);
        _c.imul(rax, rcx);
        _c.xor(edx, edx);
        _c.div(r8);
        _c.lea(rdi, __[rdi + r9 * 8]);
        _c.sub(rax, r9);
        _c.jz(none);
        _c.mov(rcx, rax);
    }

    private void AcquireLock(uint cell, string name)
    {
        Label take = _c.CreateLabel(name + "Take");
        Label wait = _c.CreateLabel(name + "Wait");
        Label taken = _c.CreateLabel(name + "Taken");
        _c.Label(ref take);
        _c.@lock.bts(__dword_ptr[cell], 0);
        _c.jnc(taken);
        _c.Label(ref wait);
        _c.pause();
        _c.cmp(__dword_ptr[cell], 0);
        _c.jne(wait);
        _c.jmp(take);
        _c.Label(ref taken);
        _c.nop();
    }

    private void ReleaseLock(uint cell) => _c.mov(__dword_ptr[cell], 0);
}
