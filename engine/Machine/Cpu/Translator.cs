using Iced.Intel;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Turns the bytes of one page into the micro-ops of a block.</summary>
/// <remarks>
/// Two passes: decode up to <see cref="InstructionsMax"/> instructions from a private copy of the bytes, then emit. The
/// block goes on behind conditional branches and follows direct jumps inside the page; it ends at calls, indirect and
/// far branches, instructions that change the CPU's mode, and the end of the page. In between the second pass knows two
/// things that make it fast: which instruction set the flags, so that a following branch tests just that, and whether
/// the next instruction overwrites all flags, so that this one need not set them.
/// </remarks>
internal sealed unsafe partial class Translator
{
    /// <summary>Instructions of a block at most.</summary>
    public const int InstructionsMax = 64;

    /// <summary>Micro-ops of a block at most.</summary>
    public const int OpsMax = InstructionsMax * OpsPerInstructionMax + 2;

    private const int OpsPerInstructionMax = 8;

    private readonly PointerCodeReader _reader = new();
    private readonly Decoder _decoder16;
    private readonly Decoder _decoder32;
    private readonly Decoder _decoder64;
    private readonly Instruction[] _instructions = new Instruction[InstructionsMax];
    private readonly int[] _starts = new int[InstructionsMax + 1];

    private Decoder _decoder;
    private int _count;
    private int _index;
    private MicroOp* _next;
    private MicroOp* _last;
    private uint _mode;
    private bool _ended;
    private bool _quiet;
    private KnownFlags _flags;
    private uint _flagKind;

    /// <summary>Makes the decoders for 16, 32 and 64 bits; translating allocates nothing afterwards.</summary>
    public Translator()
    {
        _decoder16 = Decoder.Create(16, _reader);
        _decoder32 = Decoder.Create(32, _reader);
        _decoder64 = Decoder.Create(64, _reader);
        _decoder = _decoder64;
    }

    /// <summary>What is known about the lazy flags at this point of the block.</summary>
    private enum KnownFlags : byte
    {
        Unknown,
        Subtraction,
        Addition,
        Result,
    }

    /// <summary>The 64-byte lines of the page that the decoded instructions occupy, one bit each.</summary>
    public ulong Lines { get; private set; }

    /// <summary>Whether the only instruction needs bytes of the next page.</summary>
    public bool NeedsNextPage { get; private set; }

    /// <summary>Where the decoded bytes end (a page offset, beyond 4096 when the instruction crosses).</summary>
    public int HighestEnd { get; private set; }

    /// <summary>Where the decoded bytes begin: below the block's start when a followed jump went back.</summary>
    public int LowestStart { get; private set; }

    private bool Is64 => (_mode & ModeKeys.SizeMask) == ModeKeys.Size64;

    private bool IsFlat => (_mode & ModeKeys.Segmented) == 0;

    /// <summary>First pass: decodes from a copy of a page.</summary>
    /// <param name="bytes">The copy; it starts at the page's first byte.</param>
    /// <param name="valid">Bytes of it that may be used: a page, or two for an instruction that crosses.</param>
    /// <param name="offset">Where to start.</param>
    /// <param name="mode">CPU mode, see <see cref="ModeKeys"/>.</param>
    /// <param name="limit">Instructions at most.</param>
    /// <returns>Instructions decoded; 0 with <see cref="NeedsNextPage"/> set when the first one crosses.</returns>
    public int Decode(byte* bytes, int valid, int offset, uint mode, int limit)
    {
        _mode = mode;
        _decoder = (mode & ModeKeys.SizeMask) switch
        {
            ModeKeys.Size64 => _decoder64,
            ModeKeys.Size32 => _decoder32,
            _ => _decoder16,
        };
        _count = 0;
        Lines = 0;
        NeedsNextPage = false;
        HighestEnd = offset;
        LowestStart = offset;
        int at = offset;
        while (_count < limit)
        {
            _reader.Set(bytes + at, bytes + valid);
            _decoder.IP = (ulong)at;
            ref Instruction instruction = ref _instructions[_count];
            _decoder.Decode(out instruction);
            if (_decoder.LastError == DecoderError.NoMoreBytes)
            {
                NeedsNextPage = _count == 0;
                break;
            }
            _starts[_count++] = at;
            int length = instruction.Length == 0 ? 1 : instruction.Length;
            MarkLines(at, length);
            at += length;
            if (at > HighestEnd) HighestEnd = at;
            if (at >= (int)Paging.PageBytes || EndsBlock(instruction)) break;
            if (instruction.FlowControl == FlowControl.UnconditionalBranch)
            {
                int destination = (int)instruction.NearBranchTarget;
                if (!CanFollow(instruction, destination)) break;
                at = destination;
                if (at < LowestStart) break;
            }
        }
        _starts[_count] = at;
        return _count;
    }

    /// <summary>Second pass: writes the micro-ops and the page offsets of the decoded instructions.</summary>
    /// <param name="block">A header whose frame, versions and mode are set; counts and offsets are written.</param>
    /// <returns>The end of the block in memory.</returns>
    public ushort* Emit(Block* block)
    {
        MicroOp* first = Block.Ops(block);
        _next = first;
        _last = null;
        _flags = KnownFlags.Unknown;
        _ended = false;
        if (block->SecondPfn != 0) EmitSecondFrameCheck(block);
        for (_index = 0; _index < _count; _index++)
        {
            ref readonly Instruction instruction = ref _instructions[_index];
            _quiet = FlagsAreDead(_index);
            if (IsFollowedJump(instruction))
            {
                // An empty step keeps the count of instructions right: the next micro-op has a higher index.
                continue;
            }
            if (!TryTranslate(instruction)) EmitUnsupported(instruction);
        }
        if (!_ended)
        {
            _index = _count - 1;
            MicroOp* jump = Emit(OpCode.Jump);
            jump->Target = _starts[_count];
        }
        block->Count = (ushort)_count;
        block->OpCount = (uint)(_next - first);
        block->Offsets = (ushort*)_next;
        for (int i = 0; i <= _count; i++) block->Offsets[i] = (ushort)_starts[i];
        return block->Offsets + _count + 1;
    }

    private static bool EndsBlock(in Instruction instruction)
    {
        switch (instruction.FlowControl)
        {
            case FlowControl.Next:
                return IsBarrier(instruction.Mnemonic);
            case FlowControl.ConditionalBranch:
            case FlowControl.UnconditionalBranch:
                return false;
            default:
                return true;
        }
    }

    /// <summary>Instructions behind which the CPU may be in another mode or see other memory.</summary>
    private static bool IsBarrier(Mnemonic mnemonic) => mnemonic is Mnemonic.Hlt or Mnemonic.Wrmsr or Mnemonic.Lmsw
        or Mnemonic.Invlpg or Mnemonic.Clts or Mnemonic.Lss or Mnemonic.Lds or Mnemonic.Les or Mnemonic.Lfs
        or Mnemonic.Lgs or Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq or Mnemonic.Sti or Mnemonic.Swapgs
        or Mnemonic.INVALID;

    private void MarkLines(int start, int length)
    {
        int last = start + length - 1;
        for (int line = start >> 6; line <= last >> 6; line++) Lines |= 1UL << (line & 63);
    }

    private bool CanFollow(in Instruction jump, int destination)
    {
        if (jump.Op0Kind is not (OpKind.NearBranch32 or OpKind.NearBranch64)) return false;
        if (destination is < 0 or >= (int)Paging.PageBytes || !IsFlat) return false;
        for (int i = 0; i < _count; i++)
        {
            if (_starts[i] == destination) return false;
        }
        return _count < InstructionsMax;
    }

    private bool IsFollowedJump(in Instruction instruction) =>
        instruction.FlowControl == FlowControl.UnconditionalBranch && _index + 1 < _count;

    private void EmitSecondFrameCheck(Block* block)
    {
        _index = 0;
        MicroOp* check = Emit(OpCode.CheckSecondFrame);
        check->Wide = (ulong)block->SecondVersionCell;
        check->Target = (int)block->SecondVersion;
    }

    private MicroOp* Emit(OpCode code)
    {
        MicroOp* op = _next++;
        *op = default;
        op->Code = code;
        op->Insn = (byte)_index;
        _last = op;
        return op;
    }

    private MicroOp* Emit(OpCode code, byte a, byte b, int imm = 0)
    {
        MicroOp* op = Emit(code);
        op->A = a;
        op->B = b;
        op->Imm = imm;
        return op;
    }

    private void EmitUnsupported(in Instruction instruction)
    {
        MicroOp* op = Emit(OpCode.NotImplemented);
        op->Imm = (int)instruction.Code;
        _ended = true;
        _count = _index + 1;
    }
}

/// <summary>Feeds Iced from memory.</summary>
internal sealed unsafe class PointerCodeReader : CodeReader
{
    private byte* _at;
    private byte* _end;

    /// <summary>Reads from here up to an end.</summary>
    public void Set(byte* start, byte* end)
    {
        _at = start;
        _end = end;
    }

    /// <inheritdoc/>
    public override int ReadByte() => _at < _end ? *_at++ : -1;
}
