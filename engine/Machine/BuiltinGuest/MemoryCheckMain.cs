using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using static Pagoda.Machine.BuiltinGuest.MemoryCheckLayout;

namespace Pagoda.Machine.BuiltinGuest;

/// <summary>The 64-bit program.</summary>
/// <remarks>
/// Registers that keep their meaning throughout: R15 errors, R12 order, R13 pattern, R10 and R11 the pattern's
/// multiplier and mask (a word's value is address * R10 ^ R11). Routines may change all others. With one processor the
/// code of the others is left out.
/// </remarks>
internal sealed partial class MemoryCheckMain(int processors)
{
    private const int OrderCount = 3;
    private const int PatternCount = 4;
    private const int OrderAscending = 0;
    private const int OrderDescending = 1;
    private const int NameBytes = 24;
    private const int ErrorsShownMax = 8;
    private readonly Assembler _c = new(64);
    private Label _print;
    private Label _printDecimal;
    private Label _printHexadecimal;
    private Label _printByte;
    private Label _buildTables;
    private Label _mapPage;
    private Label _allocateTable;
    private Label _collectRanges;
    private Label _sweepAll;
    private Label _run;
    private Label _checkMarks;
    private Label _patterns;
    private Label _orderNames;
    private Label _patternNames;
    private Label _textBanner;
    private Label _textMemory;
    private Label _textRanges;
    private Label _textOk;
    private Label _textErrors;
    private Label _textMarks;
    private Label _textAt;
    private Label _textFound;
    private Label _textExpected;
    private Label _textNewLine;
    private Label _textTotal;

    /// <summary>Writes the code into an assembler.</summary>
    internal Assembler Emit()
    {
        CreateLabels();
        Start();
        Checks();
        Finish();
        BuildTables();
        MapPage();
        AllocateTable();
        CollectRanges();
        SweepAll();
        Run();
        CheckMarks();
        if (processors > 1) Team();
        Output();
        Data();
        return _c;
    }

    private void CreateLabels()
    {
        _print = _c.CreateLabel("print");
        _printDecimal = _c.CreateLabel("printDecimal");
        _printHexadecimal = _c.CreateLabel("printHexadecimal");
        _printByte = _c.CreateLabel("printByte");
        _buildTables = _c.CreateLabel("buildTables");
        _mapPage = _c.CreateLabel("mapPage");
        _allocateTable = _c.CreateLabel("allocateTable");
        _collectRanges = _c.CreateLabel("collectRanges");
        _sweepAll = _c.CreateLabel("sweepAll");
        _run = _c.CreateLabel("run");
        _checkMarks = _c.CreateLabel("checkMarks");
        _patterns = _c.CreateLabel("patterns");
        _orderNames = _c.CreateLabel("orderNames");
        _patternNames = _c.CreateLabel("patternNames");
        _textBanner = _c.CreateLabel("textBanner");
        _textMemory = _c.CreateLabel("textMemory");
        _textRanges = _c.CreateLabel("textRanges");
        _textOk = _c.CreateLabel("textOk");
        _textErrors = _c.CreateLabel("textErrors");
        _textMarks = _c.CreateLabel("textMarks");
        _textAt = _c.CreateLabel("textAt");
        _textFound = _c.CreateLabel("textFound");
        _textExpected = _c.CreateLabel("textExpected");
        _textNewLine = _c.CreateLabel("textNewLine");
        _textTotal = _c.CreateLabel("textTotal");
        if (processors > 1) CreateTeamLabels();
    }

    private void Start()
    {
        _c.mov(eax, DataSelector);
        _c.mov(ds, ax);
        _c.mov(es, ax);
        _c.mov(fs, ax);
        _c.mov(gs, ax);
        _c.mov(ss, ax);
        if (processors > 1) LetOthersJoin();
        _c.mov(esp, StackTop);
        _c.xor(r15d, r15d);
        _c.mov(__qword_ptr[ErrorCountCell], -1);
        Print(_textBanner);
        _c.call(_buildTables);
        _c.call(_collectRanges);
        Print(_textMemory);
        _c.mov(rax, __qword_ptr[WordCountCell]);
        _c.shr(rax, 7);                                     // words of 8 bytes to KiB
        _c.call(_printDecimal);
        Print(_textRanges);
        if (processors > 1) _c.call(_startOthers);
    }

    private void Checks()
    {
        Label nextOrder = _c.CreateLabel("nextOrder");
        Label nextPattern = _c.CreateLabel("nextPattern");
        Label failed = _c.CreateLabel("failed");
        Label reported = _c.CreateLabel("reported");
        _c.xor(r12d, r12d);
        _c.Label(ref nextOrder);
        _c.xor(r13d, r13d);
        _c.Label(ref nextPattern);
        PrintName(_orderNames, r12);
        PrintName(_patternNames, r13);
        _c.mov(rax, r13);
        _c.shl(rax, 4);
        _c.lea(rcx, __[_patterns]);
        _c.mov(r10, __qword_ptr[rcx + rax]);
        _c.mov(r11, __qword_ptr[rcx + rax + 8]);
        _c.mov(r14, r15);
        _c.xor(ebp, ebp);                                   // fill
        _c.call(processors > 1 ? _teamSweep : _sweepAll);
        _c.mov(ebp, 1);                                     // verify
        _c.call(processors > 1 ? _teamSweep : _sweepAll);
        _c.mov(rax, r15);
        _c.sub(rax, r14);
        _c.jnz(failed);
        Print(_textOk);
        _c.jmp(reported);
        _c.Label(ref failed);
        _c.call(_printDecimal);
        Print(_textErrors);
        _c.Label(ref reported);
        _c.inc(r13d);
        _c.cmp(r13d, PatternCount);
        _c.jb(nextPattern);
        _c.inc(r12d);
        _c.cmp(r12d, OrderCount);
        _c.jb(nextOrder);
    }

    private void Finish()
    {
        Label halt = _c.CreateLabel("halt");
        _c.call(_checkMarks);
        if (processors > 1) _c.call(_teamLocks);
        Print(_textTotal);
        _c.mov(rax, r15);
        _c.call(_printDecimal);
        Print(_textNewLine);
        _c.mov(__qword_ptr[ErrorCountCell], r15);
        _c.cli();
        _c.Label(ref halt);
        _c.hlt();
        _c.jmp(halt);
    }

    private void Print(Label text)
    {
        _c.lea(rsi, __[text]);
        _c.call(_print);
    }

    private void PrintName(Label table, AssemblerRegister64 index)
    {
        _c.imul(rax, index, NameBytes);
        _c.lea(rsi, __[table]);
        _c.add(rsi, rax);
        _c.call(_print);
    }
}
