using System.Collections.Generic;
using Iced.Intel;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Random sequences of random instructions that never read a flag that the manuals leave undefined.</summary>
internal sealed class RandomCode(SeededGenerator random, InstructionGenerator instructions)
{
    private const RflagsBits Arithmetic = RflagsBits.OF | RflagsBits.SF | RflagsBits.ZF | RflagsBits.AF | RflagsBits.CF
        | RflagsBits.PF;

    private static readonly Code[] s_branches =
    [
        Code.Jo_rel8_64, Code.Jno_rel8_64, Code.Jb_rel8_64, Code.Jae_rel8_64, Code.Je_rel8_64, Code.Jne_rel8_64,
        Code.Jbe_rel8_64, Code.Ja_rel8_64, Code.Js_rel8_64, Code.Jns_rel8_64, Code.Jp_rel8_64, Code.Jnp_rel8_64,
        Code.Jl_rel8_64, Code.Jge_rel8_64, Code.Jle_rel8_64, Code.Jg_rel8_64, Code.Jmp_rel8_64,
    ];

    /// <summary>The flags that are undefined behind the last sequence, in RFLAGS positions.</summary>
    public ulong Undefined { get; private set; }

    /// <summary>A sequence of so many instructions; a branch goes forward over a few of them.</summary>
    public Instruction[] Next(int length, bool withBranches)
    {
        var list = new List<Instruction>();
        RflagsBits undefined = RflagsBits.None;
        int skippedUntil = 0;
        ulong label = 0x100;
        var pending = new SortedList<int, ulong>();
        for (int i = 0; i < length; i++)
        {
            Instruction next = Draw(withBranches && i + 2 < length);
            while ((next.RflagsRead & undefined) != 0) next = Draw(false);
            if (next.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch)
            {
                int target = i + 1 + random.Between(1, 3);
                if (target > length - 1 || pending.ContainsKey(target)) next = Quiet(undefined);
                else
                {
                    pending.Add(target, ++label);
                    next.Op0Kind = OpKind.NearBranch64;
                    next.NearBranch64 = label;
                    if (target > skippedUntil) skippedUntil = target;
                }
            }
            if (pending.TryGetValue(i, out ulong own)) next.IP = own;
            // What a skipped instruction defines is not defined on the other path.
            if (i >= skippedUntil && !MayDoNothing(next)) undefined &= ~(next.RflagsModified & ~UndefinedBy(next));
            undefined |= UndefinedBy(next);
            undefined &= Arithmetic;
            list.Add(next);
        }
        Undefined = Positions(undefined);
        return [.. list];
    }

    /// <summary>The flags that an instruction may leave at anything.</summary>
    public static RflagsBits UndefinedBy(in Instruction instruction)
    {
        bool isShift = instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar
            or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr;
        bool isByOne = instruction.Op1Kind == OpKind.Immediate8 && instruction.Immediate8 == 1;
        // Overflow is defined for shifts by one alone.
        return instruction.RflagsUndefined | (isShift && !isByOne ? RflagsBits.OF : RflagsBits.None);
    }

    /// <summary>A shift by a count that may be zero leaves the flags as they were.</summary>
    private static bool MayDoNothing(in Instruction instruction) => instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal
        or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr
        or Mnemonic.Shld or Mnemonic.Shrd;

    /// <summary>The arithmetic flags of a set in RFLAGS positions.</summary>
    public static ulong Positions(RflagsBits bits)
    {
        ulong result = 0;
        if ((bits & RflagsBits.CF) != 0) result |= 1;
        if ((bits & RflagsBits.PF) != 0) result |= 4;
        if ((bits & RflagsBits.AF) != 0) result |= 0x10;
        if ((bits & RflagsBits.ZF) != 0) result |= 0x40;
        if ((bits & RflagsBits.SF) != 0) result |= 0x80;
        if ((bits & RflagsBits.OF) != 0) result |= 0x800;
        return result;
    }

    private Instruction Draw(bool mayBranch)
    {
        if (!mayBranch || !random.OneIn(5)) return instructions.Next();
        return new Instruction { Code = s_branches[random.Below(s_branches.Length)] };
    }

    private Instruction Quiet(RflagsBits undefined)
    {
        Instruction next = instructions.Next();
        while ((next.RflagsRead & undefined) != 0) next = instructions.Next();
        return next;
    }
}
