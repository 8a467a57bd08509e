using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Byte offsets of registers in <see cref="VcpuState"/>, as micro-ops hold them.</summary>
internal static class RegisterFile
{
    public const byte Rax = 0;
    public const byte Rcx = 8;
    public const byte Rdx = 16;
    public const byte Rbx = 24;
    public const byte Rsp = 32;
    public const byte Rbp = 40;
    public const byte Rsi = 48;
    public const byte Rdi = 56;
    public const byte Zero = 128;
    public const byte RipBase = 136;

    /// <summary>Operand values on their way.</summary>
    public const byte Temp0 = 144;

    /// <summary>Addresses.</summary>
    public const byte Temp1 = 152;

    /// <summary>Second operands.</summary>
    public const byte Temp2 = 160;

    private const byte SegmentBases = 168;

    /// <summary>A general register's place; AH to BH are the second bytes of their registers.</summary>
    public static byte Of(Register register)
    {
        if (register is >= Register.AL and <= Register.BL) return (byte)((register - Register.AL) * 8);
        if (register is >= Register.AH and <= Register.BH) return (byte)((register - Register.AH) * 8 + 1);
        if (register is >= Register.SPL and <= Register.R15L) return (byte)((register - Register.SPL + 4) * 8);
        if (register is >= Register.AX and <= Register.R15W) return (byte)((register - Register.AX) * 8);
        if (register is >= Register.EAX and <= Register.R15D) return (byte)((register - Register.EAX) * 8);
        if (register is >= Register.RAX and <= Register.R15) return (byte)((register - Register.RAX) * 8);
        return Zero;
    }

    /// <summary>A segment's number: ES, CS, SS, DS, FS, GS are 0 to 5.</summary>
    public static byte SegmentNumber(Register segment) => (byte)(segment - Register.ES);

    /// <summary>Where a segment's base is.</summary>
    public static byte SegmentBase(Register segment) => (byte)(SegmentBases + SegmentNumber(segment) * 8);

    /// <summary>log2 of a general register's bytes.</summary>
    public static int SizeLog2(Register register)
    {
        if (register <= Register.R15L) return 0;
        if (register <= Register.R15W) return 1;
        return register <= Register.R15D ? 2 : 3;
    }
}
