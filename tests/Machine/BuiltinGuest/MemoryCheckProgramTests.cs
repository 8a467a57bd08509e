using System;
using System.Collections.Generic;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.BuiltinGuest;

namespace Pagoda.Tests.Machine.BuiltinGuest;

public sealed class MemoryCheckProgramTests
{
    private const int LongModeOffset = 0x200;

    [Test]
    public void ItIsTheSameProgramEachTime()
    {
        byte[] first = MemoryCheckProgram.Assemble();
        Assert.That(MemoryCheckProgram.Assemble(), Is.EqualTo(first));
    }

    [Test]
    public void TheEntryIsThirtyTwoBitCodeThatJumpsFarTo64Bits()
    {
        ReadOnlySpan<byte> entry = MemoryCheckProgram.Assemble().AsSpan(0, LongModeOffset);
        List<Instruction> code = Decode(32, entry, MemoryCheckProgram.Gpa);
        Assert.That(code[0].Mnemonic, Is.EqualTo(Mnemonic.Cli));
        int jump = code.FindIndex(instruction => instruction.Code == Code.Jmp_m1632);
        Assert.That(jump, Is.GreaterThan(10));
        Assert.That(code.GetRange(0, jump), Has.None.Matches<Instruction>(instruction => instruction.IsInvalid));
    }

    [Test]
    public void The64BitCodeIsValidAndUsesNoVectors()
    {
        byte[] program = MemoryCheckProgram.Assemble();
        List<Instruction> code = Decode(64, program.AsSpan(LongModeOffset), MemoryCheckProgram.Gpa + LongModeOffset);
        int halt = code.FindIndex(instruction => instruction.Mnemonic == Mnemonic.Hlt);
        Assert.That(halt, Is.GreaterThan(50));
        foreach (Instruction instruction in code.GetRange(0, halt))
        {
            Assert.That(instruction.IsInvalid, Is.False, instruction.IP.ToString("x", null));
            Assert.That(instruction.IsVecInstruction(), Is.False, instruction.ToString());
        }
        Assert.That(code[halt - 1].Mnemonic, Is.EqualTo(Mnemonic.Cli));
    }

    [Test]
    public void WithOneProcessorTheCodeOfOthersIsLeftOut()
    {
        Assert.That(MemoryCheckProgram.Assemble(1), Is.EqualTo(MemoryCheckProgram.Assemble()));
        Assert.That(MemoryCheckProgram.Assemble(2), Has.Length.GreaterThan(MemoryCheckProgram.Assemble().Length));
        Assert.That(() => MemoryCheckProgram.Assemble(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => MemoryCheckProgram.Assemble(MemoryCheckProgram.ProcessorsMax + 1),
            Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void OthersStartInSixteenBitCodeThatJumpsFarTo64Bits()
    {
        byte[] program = MemoryCheckProgram.Assemble(MemoryCheckProgram.ProcessorsMax);
        ReadOnlySpan<byte> start = program.AsSpan((int)(MemoryCheckLayout.StartupGpa - MemoryCheckProgram.Gpa));
        List<Instruction> code = Decode(16, start, 0);
        Assert.That(code[0].Mnemonic, Is.EqualTo(Mnemonic.Cli));
        Assert.That(code[^1].Code, Is.EqualTo(Code.Jmp_m1632));
        Assert.That(code, Has.None.Matches<Instruction>(instruction => instruction.IsInvalid));
    }

    private static List<Instruction> Decode(int bitness, ReadOnlySpan<byte> code, ulong ip)
    {
        var decoder = Decoder.Create(bitness, code.ToArray(), ip);
        var instructions = new List<Instruction>();
        while (decoder.IP < ip + (ulong)code.Length) instructions.Add(decoder.Decode());
        return instructions;
    }
}

internal static class InstructionExtensions
{
    public static bool IsVecInstruction(this in Instruction instruction) =>
        instruction.Op0Register.IsVectorRegister() || instruction.Op1Register.IsVectorRegister();
}
