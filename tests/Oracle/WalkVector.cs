using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.Oracle;

/// <summary>Which tables a vector's processor walked.</summary>
public enum VectorKind : byte
{
    Ept = 0,
    Npt = 1,
    X86 = 2,
}

/// <summary>Who walked them.</summary>
public enum VectorEngine : byte
{
    Bochs = 0,
    Qemu = 1,
}

/// <summary>The access of a vector.</summary>
public enum VectorOp : byte
{
    Read = 0,
    Write = 1,
    Execute = 2,

    /// <summary>A locked exchange.</summary>
    ReadModifyWrite = 3,

    /// <summary>The address holds a guest page-table entry whose accessed bit is set.</summary>
    GuestTable = 4,

    /// <summary>The same with the accessed bit clear: the guest's walk must write it.</summary>
    GuestTableSetsAccessed = 5,
}

/// <summary>The modes of a vector's access, as bits of one byte.</summary>
[System.Flags]
public enum VectorModes : byte
{
    None = 0,
    User = 1,
    WriteProtect = 2,
    NoExecute = 4,
    Smep = 8,
    Smap = 16,
    AlignmentCheck = 32,

    /// <summary>The access was seen to reach the host-physical address that is recorded.</summary>
    Confirmed = 64,
}

/// <summary>The processor that a group of vectors was recorded on.</summary>
/// <param name="Kind">The tables.</param>
/// <param name="Engine">The emulator.</param>
/// <param name="Processor">The emulator's name of the processor.</param>
/// <param name="Levels">4 or 5.</param>
/// <param name="PhysBits">Bits of a physical address.</param>
/// <param name="AccessedDirty">EPT: the flags are on.</param>
/// <param name="ExecOnly">EPT: entries with X alone are legal.</param>
/// <param name="Gigapages">1 GiB leaves are legal.</param>
public sealed record VectorGroup(VectorKind Kind, VectorEngine Engine, string Processor, int Levels, int PhysBits,
    bool AccessedDirty, bool ExecOnly, bool Gigapages)
{
    /// <summary>A line for reports.</summary>
    public string Title => Kind + (Kind == VectorKind.Ept && !AccessedDirty ? " without A/D" : "") + ", " + Levels
        + " levels, " + Engine + " " + Processor;
}

/// <summary>One access and what came of it; the path holds every entry that a walk of it may read.</summary>
public struct WalkVector
{
    public VectorGroup Group;
    public VectorOp Op;
    public VectorModes Modes;
    public WalkOutcome Outcome;
    public int PathLength;

    /// <summary>Exit qualification, EXITINFO1 or error code as the emulator gave it; 0 on success.</summary>
    public ulong Info;

    public ulong Address;

    /// <summary>EPTP, nCR3 or CR3.</summary>
    public ulong Root;

    /// <summary>On success the host-physical byte.</summary>
    public ulong Hpa;

    /// <summary>The entries before the access.</summary>
    public WalkWords Before;

    /// <summary>The bits of each entry that the access changed.</summary>
    public WalkWords Changed;

    /// <summary>The access as the walker takes it.</summary>
    public readonly Prot Access => Op switch
    {
        VectorOp.Write => Prot.Write,
        VectorOp.Execute => Prot.Execute,
        VectorOp.ReadModifyWrite or VectorOp.GuestTableSetsAccessed => Prot.ReadWrite,
        _ => Prot.Read,
    };

    /// <summary>The access is to a guest's page table.</summary>
    public readonly bool IsGuestTable => Op >= VectorOp.GuestTable;

    public readonly bool IsUser => (Modes & VectorModes.User) != 0;

    /// <summary>The format that the walker walks with.</summary>
    public readonly WalkFormat Format()
    {
        VectorGroup g = Group;
        if (g.Kind == VectorKind.Ept)
        {
            return WalkFormat.ForEpt(Root, g.PhysBits, g.ExecOnly, superpages: true, g.Gigapages);
        }
        bool noExecute = (Modes & VectorModes.NoExecute) != 0;
        if (g.Kind == VectorKind.Npt) return WalkFormat.ForNpt(Root, g.PhysBits, g.Levels, noExecute, g.Gigapages);
        ulong cr0 = 0x8000_0001 | ((Modes & VectorModes.WriteProtect) != 0 ? 1UL << 16 : 0);
        ulong cr4 = (1UL << 5) | (g.Levels == 5 ? 1UL << 12 : 0) | ((Modes & VectorModes.Smep) != 0 ? 1UL << 20 : 0)
            | ((Modes & VectorModes.Smap) != 0 ? 1UL << 21 : 0);
        ulong efer = 0x500 | (noExecute ? 1UL << 11 : 0);
        WalkFormat format = WalkFormat.ForX86(cr0, Root, cr4, efer, g.PhysBits, g.Gigapages);
        return format.WithAlignmentCheck((Modes & VectorModes.AlignmentCheck) != 0);
    }

    public override readonly string ToString()
    {
        string path = "";
        for (int i = 0; i < PathLength; i++) path += $" {Before[i]:x}^{Changed[i]:x}";
        return $"{Group.Title}: {Op} 0x{Address:x} root 0x{Root:x} [{Modes}] -> {Outcome} info 0x{Info:x} "
            + $"hpa 0x{Hpa:x}, path{path}";
    }
}
