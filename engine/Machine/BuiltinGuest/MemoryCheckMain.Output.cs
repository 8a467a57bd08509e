using System;
using System.Text;
using Iced.Intel;
using Pagoda.Core;
using Pagoda.Machine.Devices;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Machine.BuiltinGuest;

internal sealed partial class MemoryCheckMain
{
    private const int LineStatusPort = Uart16550.BasePort + 5;
    private const int TransmitReady = 0x20;
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;
    private const ulong RandomMask = 0xD1B5_4A32_D192_ED03;
    private const ulong AlternatingBits = 0x5555_5555_5555_5555;
    private static readonly string[] s_orders = ["ascending,  ", "descending, ", "strided,    "];
    private static readonly string[] s_patterns = ["address:     ", "complement:  ", "random:      ", "alternating: "];

    // Routines that print; they keep every register but RAX, RDX and, for texts, RSI.
    private void Output()
    {
        PrintText();
        PrintByte();
        PrintNumber(_printDecimal, "decimal", 10, digitsMin: 1);
        PrintNumber(_printHexadecimal, "hexadecimal", 16, digitsMin: 16);
    }

    // Sends the text at RSI up to its zero.
    private void PrintText()
    {
        Label end = _c.CreateLabel("printEnd");
        _c.Label(ref _print);
        _c.lodsb();
        _c.test(al, al);
        _c.jz(end);
        _c.call(_printByte);
        _c.jmp(_print);
        _c.Label(ref end);
        _c.ret();
    }

    // Sends AL once the line is ready.
    private void PrintByte()
    {
        Label wait = _c.CreateLabel("printWait");
        _c.Label(ref _printByte);
        _c.push(rax);
        _c.mov(edx, LineStatusPort);
        _c.Label(ref wait);
        _c.@in(al, dx);
        _c.test(al, TransmitReady);
        _c.jz(wait);
        _c.mov(edx, Uart16550.BasePort);
        _c.pop(rax);
        _c.@out(dx, al);
        _c.ret();
    }

    // Sends RAX: its digits go to the stack, the last first, and come back in order.
    private void PrintNumber(Label label, string name, int radix, int digitsMin)
    {
        Label divide = _c.CreateLabel(name + "Divide");
        Label letter = _c.CreateLabel(name + "Letter");
        Label digit = _c.CreateLabel(name + "Digit");
        Label send = _c.CreateLabel(name + "Send");
        _c.Label(ref label);
        _c.push(rbx);
        _c.push(rcx);
        _c.xor(ebx, ebx);
        _c.mov(ecx, radix);
        _c.Label(ref divide);
        _c.xor(edx, edx);
        _c.div(rcx);
        _c.push(rdx);
        _c.inc(ebx);
        _c.test(rax, rax);
        _c.jnz(divide);
        _c.cmp(ebx, digitsMin);
        _c.jb(divide);
        _c.Label(ref send);
        _c.pop(rax);
        _c.cmp(al, 10);
        _c.jae(letter);
        _c.add(al, (byte)'0');
        _c.jmp(digit);
        _c.Label(ref letter);
        _c.add(al, (byte)('a' - 10));
        _c.Label(ref digit);
        _c.call(_printByte);
        _c.dec(ebx);
        _c.jnz(send);
        _c.pop(rcx);
        _c.pop(rbx);
        _c.ret();
    }

    private void Data()
    {
        _c.Label(ref _patterns);
        _c.dq(1UL, 0UL);
        _c.dq(1UL, ulong.MaxValue);
        _c.dq(GoldenRatio, RandomMask);
        _c.dq(0UL, AlternatingBits);
        Names(ref _orderNames, s_orders);
        Names(ref _patternNames, s_patterns);
        Text(ref _textBanner, "Pagoda memory check, 64-bit guest\n");
        Text(ref _textMemory, "checking ");
        Text(ref _textRanges, " KiB\n");
        Text(ref _textOk, "ok\n");
        Text(ref _textErrors, " errors\n");
        Text(ref _textMarks, "accessed and dirty marks: ");
        Text(ref _textAt, "\n  at ");
        Text(ref _textExpected, " expected ");
        Text(ref _textFound, " found ");
        Text(ref _textNewLine, "\n");
        Text(ref _textTotal, "Errors: ");
        if (processors > 1) TeamData();
    }

    private void Text(ref Label label, string text)
    {
        _c.Label(ref label);
        _c.db(Encoding.ASCII.GetBytes(text + "\0"));
    }

    // A table of names, each padded with zeros to the same length.
    private void Names(ref Label label, ReadOnlySpan<string> names)
    {
        _c.Label(ref label);
        foreach (string name in names)
        {
            Invariant.Require(name.Length < NameBytes);
            _c.db(Encoding.ASCII.GetBytes(name.PadRight(NameBytes, '\0')));
        }
    }
}
