namespace Pagoda.Machine.Cpu;

/// <summary>Integer operations on registers that the hot switch leaves to a call.</summary>
internal enum IntegerOp : byte
{
    // One operand and a source; the first eight in the order of their opcodes.
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Inc,
    Dec,
    Neg,
    Not,
    Exchange,
    Xadd,
    Bts,
    Btr,
    Btc,
    Rol,
    Ror,
    Rcl,
    Rcr,
    Shl,
    Shr,
    Sar,

    // Register forms only.
    Bt,
    Shld,
    Shrd,
    Bsf,
    Bsr,
    Popcnt,
    Lzcnt,
    Bswap,
    Cmpxchg,
    Cmov,
    Cbw,
    Cwd,
    Lahf,
    Sahf,
    Clc,
    Stc,
    Cmc,
    Cld,
    Std,
    Daa,
    Das,
    Aaa,
    Aas,
    Aam,
    Aad,
    Loop,
    Mul,
    ImulWide,
    Imul,
    Div,
    Idiv,
}

/// <summary>Address computations that need a call.</summary>
internal enum AddressOp : byte
{
    /// <summary>Checks Temp1 and the operand's bytes against a segment's limit and rights.</summary>
    CheckSegment,

    /// <summary>Moves Temp1 by a bit offset and keeps the bit's number inside the operand in Temp2.</summary>
    BitString,
}

/// <summary>Locked read-modify-write operations beyond <see cref="IntegerOp"/>.</summary>
internal enum LockedOp : byte
{
    /// <summary>The first values are those of <see cref="IntegerOp"/>.</summary>
    Cmpxchg = 64,
    CmpxchgPair,
}

/// <summary>Stack operations that the hot switch leaves to a call.</summary>
internal enum StackOp : byte
{
    Push,
    Pop,
    PushAll,
    PopAll,
    PushFlags,
    PopFlags,
    Enter,
    Leave,
    CallNear,
    ReturnNear,

    /// <summary>Reads the top into a register and leaves it there.</summary>
    Peek,

    /// <summary>Takes the top away.</summary>
    Drop,
}

/// <summary>String operations.</summary>
internal enum StringOp : byte
{
    Move,
    Store,
    Load,
    Compare,
    Scan,
    Input,
    Output,
}

/// <summary>Far control transfers and segment registers.</summary>
internal enum ControlOp : byte
{
    ReadSegment,
    LoadSegment,
    LoadPointer,
    JumpFar,
    CallFar,
    ReturnFar,
    InterruptReturn,
    Interrupt,
    InterruptOverflow,
    Breakpoint,
    DebugTrap,
    CheckBounds,
    Undefined,
    Halt,
    ClearInterrupts,
    SetInterrupts,
    JumpNear,
}

/// <summary>System instructions.</summary>
internal enum SystemOp : byte
{
    ReadControl,
    WriteControl,
    ReadDebug,
    WriteDebug,
    LoadGdt,
    LoadIdt,
    StoreGdt,
    StoreIdt,
    LoadLdt,
    LoadTask,
    StoreLdt,
    StoreTask,
    StoreMachineStatus,
    LoadMachineStatus,
    ClearTaskSwitched,
    InvalidatePage,
    InvalidateCaches,
    ReadMsr,
    WriteMsr,
    ReadTsc,
    ReadTscAndId,
    Cpuid,
    In,
    Out,
    SwapGs,
    Pause,
    Fence,
    FlushLine,
    VerifyRead,
    VerifyWrite,
    LoadRights,
    LoadLimit,
    AdjustPrivilege,
}
