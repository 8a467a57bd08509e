using System;

namespace Pagoda.Core;

/// <summary>Rights of a mapping, or the kind of an access. The bits equal EPT's R, W and X.</summary>
[Flags]
public enum Prot : byte
{
    /// <summary>No right.</summary>
    None = 0,

    /// <summary>Data read.</summary>
    Read = 1,

    /// <summary>Data write.</summary>
    Write = 2,

    /// <summary>Instruction fetch.</summary>
    Execute = 4,

    /// <summary>Data read and write.</summary>
    ReadWrite = Read | Write,

    /// <summary>Read and fetch, as a ROM allows.</summary>
    ReadExecute = Read | Execute,

    /// <summary>Every right.</summary>
    All = Read | Write | Execute,
}
