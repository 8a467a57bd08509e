using System;
using System.Collections.Generic;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>
/// Makes random 64-bit instructions of chosen mnemonics, in every encoding that Iced knows, whose memory operands lie
/// in the data area: RSI, RDI and RBP point there, R9 and R10 are small indexes.
/// </summary>
internal sealed class InstructionGenerator
{
    private static readonly int[] s_freeRegisters = [0, 1, 2, 3, 8, 11, 12, 13, 14, 15];

    private static readonly Encoder s_encoder = Encoder.Create(64, new NullWriter());

    private readonly List<Code> _codes = [];
    private readonly SeededGenerator _random;

    public InstructionGenerator(SeededGenerator random, params ReadOnlySpan<Mnemonic> mnemonics)
    {
        _random = random;
        var wanted = new HashSet<Mnemonic>();
        foreach (Mnemonic mnemonic in mnemonics) wanted.Add(mnemonic);
        foreach (Code code in Enum.GetValues<Code>())
        {
            OpCodeInfo info = code.ToOpCode();
            if (!info.IsInstruction || !info.Mode64 || !wanted.Contains(info.Mnemonic)) continue;
            if (info.Mnemonic == Mnemonic.Lzcnt && !Lzcnt.IsSupported) continue;
            // Counts beyond the operand leave both result and flags undefined.
            if (code is Code.Shld_rm16_r16_CL or Code.Shrd_rm16_r16_CL) continue;
            if (CanFill(info)) _codes.Add(code);
        }
    }

    /// <summary>Only what the same bytes mean in 32-bit mode too: the first four registers, no index.</summary>
    public bool IsLegacy { get; init; }

    /// <summary>The encodings that it draws from.</summary>
    public IReadOnlyList<Code> Codes => _codes;

    /// <summary>Any of the encodings with random operands.</summary>
    public Instruction Next()
    {
        for (; ; )
        {
            Instruction instruction = Create(_codes[_random.Below(_codes.Count)]);
            if (IsLegacy ? CanEncodeLegacy(instruction) : CanEncode(instruction)) return instruction;
        }
    }

    /// <summary>One encoding with random operands.</summary>
    public Instruction Next(Code code)
    {
        for (; ; )
        {
            Instruction instruction = Create(code);
            if (CanEncode(instruction)) return instruction;
        }
    }

    private static bool CanEncode(in Instruction instruction)
    {
        return s_encoder.TryEncode(instruction, 0, out _, out _);
    }

    private static bool CanEncodeLegacy(in Instruction instruction)
    {
        if (!instruction.Code.ToOpCode().Mode32) return false;
        using var stream = new System.IO.MemoryStream();
        var encoder = Encoder.Create(64, new StreamCodeWriter(stream));
        if (!encoder.TryEncode(instruction, 0, out _, out _)) return false;
        byte[] bytes = stream.ToArray();
        var decoder = Decoder.Create(32, bytes);
        decoder.Decode(out Instruction narrow);
        return narrow.Code == instruction.Code && narrow.Length == bytes.Length;
    }

    private static bool CanFill(OpCodeInfo info)
    {
        for (int i = 0; i < info.OpCount; i++)
        {
            if (!IsKnown(info.GetOpKind(i))) return false;
        }
        return true;
    }

    private static bool IsKnown(OpCodeOperandKind kind) => kind is OpCodeOperandKind.r8_or_mem
        or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r64_or_mem
        or OpCodeOperandKind.r8_reg or OpCodeOperandKind.r16_reg or OpCodeOperandKind.r32_reg
        or OpCodeOperandKind.r64_reg or OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r16_opcode
        or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r64_opcode or OpCodeOperandKind.imm8
        or OpCodeOperandKind.imm8sex16 or OpCodeOperandKind.imm8sex32 or OpCodeOperandKind.imm8sex64
        or OpCodeOperandKind.imm16 or OpCodeOperandKind.imm32 or OpCodeOperandKind.imm32sex64
        or OpCodeOperandKind.imm64 or OpCodeOperandKind.imm8_const_1 or OpCodeOperandKind.al or OpCodeOperandKind.cl
        or OpCodeOperandKind.ax or OpCodeOperandKind.eax or OpCodeOperandKind.rax or OpCodeOperandKind.mem;

    private Instruction Create(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        var instruction = new Instruction { Code = code };
        bool isBitString = info.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc;
        for (int i = 0; i < info.OpCount; i++) Fill(ref instruction, i, info.GetOpKind(i), isBitString && i == 1);
        if (code is Code.Shld_rm16_r16_imm8 or Code.Shrd_rm16_r16_imm8) instruction.Immediate8 &= 15;
        return instruction;
    }

    private void Fill(ref Instruction instruction, int operand, OpCodeOperandKind kind, bool isSmall)
    {
        switch (kind)
        {
            case OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem
                or OpCodeOperandKind.r64_or_mem:
                if (_random.OneIn(2)) FillMemory(ref instruction, operand);
                else SetRegister(ref instruction, operand, RegisterOf(SizeOf(kind), isSmall));
                break;
            case OpCodeOperandKind.mem:
                FillMemory(ref instruction, operand);
                break;
            case OpCodeOperandKind.r8_reg or OpCodeOperandKind.r16_reg or OpCodeOperandKind.r32_reg
                or OpCodeOperandKind.r64_reg or OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r16_opcode
                or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r64_opcode:
                SetRegister(ref instruction, operand, RegisterOf(SizeOf(kind), isSmall));
                break;
            case OpCodeOperandKind.al:
                SetRegister(ref instruction, operand, Register.AL);
                break;
            case OpCodeOperandKind.cl:
                SetRegister(ref instruction, operand, Register.CL);
                break;
            case OpCodeOperandKind.ax:
                SetRegister(ref instruction, operand, Register.AX);
                break;
            case OpCodeOperandKind.eax:
                SetRegister(ref instruction, operand, Register.EAX);
                break;
            case OpCodeOperandKind.rax:
                SetRegister(ref instruction, operand, Register.RAX);
                break;
            default:
                FillImmediate(ref instruction, operand, kind);
                break;
        }
    }

    private static void SetRegister(ref Instruction instruction, int operand, Register register)
    {
        instruction.SetOpKind(operand, OpKind.Register);
        instruction.SetOpRegister(operand, register);
    }

    private static int SizeOf(OpCodeOperandKind kind) => kind switch
    {
        OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode => 1,
        OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode => 2,
        OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode => 4,
        _ => 8,
    };

    private Register RegisterOf(int bytes, bool isSmall)
    {
        int number = IsLegacy ? _random.Below(4) : isSmall ? 9 + _random.Below(2)
            : s_freeRegisters[_random.Below(s_freeRegisters.Length)];
        switch (bytes)
        {
            case 1:
                if (number < 4 && _random.OneIn(3)) return Register.AH + number;
                return number < 4 ? Register.AL + number : Register.R8L + (number - 8);
            case 2:
                return Register.AX + number;
            case 4:
                return Register.EAX + number;
            default:
                return Register.RAX + number;
        }
    }

    private void FillMemory(ref Instruction instruction, int operand)
    {
        instruction.SetOpKind(operand, OpKind.Memory);
        instruction.MemoryBase = _random.Pick<Register>([Register.RSI, Register.RDI, Register.RBP]);
        instruction.MemoryDisplSize = 8;
        instruction.MemoryDisplacement64 = (ulong)_random.Between(-600, 600);
        instruction.MemoryIndexScale = 1;
        if (IsLegacy || !_random.OneIn(3)) return;
        instruction.MemoryIndex = _random.Pick<Register>([Register.R9, Register.R10]);
        instruction.MemoryIndexScale = 1 << _random.Below(4);
    }

    private void FillImmediate(ref Instruction instruction, int operand, OpCodeOperandKind kind)
    {
        ulong value = _random.OneIn(3) ? (ulong)_random.Between(-3, 70) : _random.Next();
        switch (kind)
        {
            case OpCodeOperandKind.imm8_const_1:
                instruction.SetOpKind(operand, OpKind.Immediate8);
                instruction.Immediate8 = 1;
                break;
            case OpCodeOperandKind.imm8:
                instruction.SetOpKind(operand, OpKind.Immediate8);
                instruction.Immediate8 = (byte)value;
                break;
            case OpCodeOperandKind.imm8sex16:
                instruction.SetOpKind(operand, OpKind.Immediate8to16);
                instruction.Immediate8to16 = (sbyte)value;
                break;
            case OpCodeOperandKind.imm8sex32:
                instruction.SetOpKind(operand, OpKind.Immediate8to32);
                instruction.Immediate8to32 = (sbyte)value;
                break;
            case OpCodeOperandKind.imm8sex64:
                instruction.SetOpKind(operand, OpKind.Immediate8to64);
                instruction.Immediate8to64 = (sbyte)value;
                break;
            case OpCodeOperandKind.imm16:
                instruction.SetOpKind(operand, OpKind.Immediate16);
                instruction.Immediate16 = (ushort)value;
                break;
            case OpCodeOperandKind.imm32:
                instruction.SetOpKind(operand, OpKind.Immediate32);
                instruction.Immediate32 = (uint)value;
                break;
            case OpCodeOperandKind.imm32sex64:
                instruction.SetOpKind(operand, OpKind.Immediate32to64);
                instruction.Immediate32to64 = (int)value;
                break;
            default:
                instruction.SetOpKind(operand, OpKind.Immediate64);
                instruction.Immediate64 = value;
                break;
        }
    }

    private sealed class NullWriter : CodeWriter
    {
        public override void WriteByte(byte value)
        {
        }
    }
}
