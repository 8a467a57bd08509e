using NUnit.Framework;
using Pagoda.Machine;

namespace Pagoda.Tests.Machine;

public sealed class MachineBusTests
{
    [Test]
    public void HolesReadOnesAndDropWrites()
    {
        // mov dword [0A0000h], 0; mov eax, [0A0000h]; mov dx, 3F8h; out dx, al; hlt
        byte[] code =
        [
            0xC7, 0x05, 0, 0, 0x0A, 0, 0, 0, 0, 0, 0xA1, 0, 0, 0x0A, 0, 0x66, 0xBA, 0xF8, 0x03, 0xEE, 0xF4,
        ];
        RunResult result = BareMachine.Run(code, out string console);
        Assert.That(console, Is.EqualTo("\u00FF"), result.Message);
        Assert.That(result.MmioExits, Is.EqualTo(2UL));
    }

    [Test]
    public void TheRomReadsZerosAndDropsWrites()
    {
        // mov byte [0C0123h], 5; mov al, [0C0123h]; add al, '0'; mov dx, 3F8h; out dx, al; hlt
        byte[] code =
        [
            0xC6, 0x05, 0x23, 0x01, 0x0C, 0, 5, 0xA0, 0x23, 0x01, 0x0C, 0, 0x04, 0x30, 0x66, 0xBA, 0xF8, 0x03, 0xEE,
            0xF4,
        ];
        RunResult result = BareMachine.Run(code, out string console);
        Assert.That(console, Is.EqualTo("0"), result.Message);
        Assert.That(result.MmioExits, Is.EqualTo(1UL));
    }

    [Test]
    public void AResetEndsTheRun()
    {
        // mov al, 0FEh; out 64h, al; jmp $
        RunResult result = BareMachine.Run([0xB0, 0xFE, 0xE6, 0x64, 0xEB, 0xFE], out _);
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.Contain("reset"));
    }

    [Test]
    public void UnknownModelSpecificRegistersAreAGeneralProtectionFault()
    {
        // mov ecx, 277h; rdmsr; hlt: without a table of handlers the fault shuts the processor down
        RunResult result = BareMachine.Run([0xB9, 0x77, 0x02, 0, 0, 0x0F, 0x32, 0xF4], out _);
        Assert.That(result.End, Is.EqualTo(RunEnd.TripleFault));
    }

    [Test]
    public void PortsTakeAMicrosecondOfVirtualTime()
    {
        // in al, 61h; hlt
        RunResult result = BareMachine.Run([0xE4, 0x61, 0xF4], out _);
        Assert.That(result.VirtualNanoseconds, Is.EqualTo(1_002UL));
    }

    [Test]
    public void TheApicsBaseSaysThatItIsTheFirstProcessorsAndEnabled()
    {
        // mov ecx, 1Bh; rdmsr; mov edx, 3F8h; shr eax, 8; out dx, al; hlt
        byte[] code = [0xB9, 0x1B, 0, 0, 0, 0x0F, 0x32, 0xBA, 0xF8, 3, 0, 0, 0xC1, 0xE8, 8, 0xEE, 0xF4];
        RunResult result = BareMachine.Run(code, out string console);
        Assert.That(console, Is.EqualTo("\u0009"), result.Message);
    }

    [TestCase(0xFEE0_0900u, false, 0x14)]       // as it is
    [TestCase(0xFEE0_0100u, false, 0xFF)]       // switched off
    [TestCase(0xFEE1_0900u, true, 0)]           // moved
    [TestCase(0xFEE0_0D00u, true, 0)]           // x2APIC
    public void TheApicCanBeSwitchedOffButNotMoved(uint value, bool faults, int version)
    {
        // mov ecx, 1Bh; xor edx, edx; mov eax, value; wrmsr; mov al, [0FEE00030h]...
        byte[] code =
        [
            0xB9, 0x1B, 0, 0, 0, 0x31, 0xD2, 0xB8, (byte)value, (byte)(value >> 8), (byte)(value >> 16),
            (byte)(value >> 24), 0x0F, 0x30, 0xA1, 0x30, 0, 0xE0, 0xFE, 0xBA, 0xF8, 3, 0, 0, 0xEE, 0xF4,
        ];
        RunResult result = BareMachine.Run(code, out string console);
        Assert.That(result.End, Is.EqualTo(faults ? RunEnd.TripleFault : RunEnd.Halt), result.Message);
        if (!faults) Assert.That(console, Is.EqualTo(((char)version).ToString()));
    }
}
