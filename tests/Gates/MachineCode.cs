using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Pagoda.Tests.Gates;

/// <summary>What the compiler made of a method: its instructions up to the first return.</summary>
internal static unsafe class MachineCode
{
    private const int InstructionsMax = 64;
    private const int InstructionBytesMax = 15;

    /// <summary>The instructions of a static method without loops or branches, as text.</summary>
    /// <param name="type">Where it is declared.</param>
    /// <param name="name">Its name; compiled with <see cref="MethodImplOptions.AggressiveOptimization"/>.</param>
    public static List<string> Of(Type type, string name)
    {
        RuntimeMethodHandle handle = type.GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!.MethodHandle;
        RuntimeHelpers.PrepareMethod(handle);
        ulong at = (ulong)handle.GetFunctionPointer();
        var instructions = new List<string>();
        while (instructions.Count < InstructionsMax)
        {
            Instruction instruction = Decode(at);
            if (instruction.Mnemonic == Mnemonic.Jmp)
            {
                // The runtime's way to the method.
                at = instruction.IsIPRelativeMemoryOperand
                    ? *(ulong*)instruction.IPRelativeMemoryAddress
                    : instruction.NearBranchTarget;
                continue;
            }
            instructions.Add(instruction.ToString());
            if (instruction.Mnemonic == Mnemonic.Ret) return instructions;
            at = instruction.NextIP;
        }
        throw new InvalidOperationException(name + " does not return within " + InstructionsMax + " instructions.");
    }

    private static Instruction Decode(ulong at)
    {
        byte[] bytes = new ReadOnlySpan<byte>((void*)at, InstructionBytesMax).ToArray();
        return Decoder.Create(64, bytes, at).Decode();
    }
}
