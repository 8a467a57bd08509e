using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>What became of a translation.</summary>
public enum FillStatus : byte
{
    /// <summary>Translated.</summary>
    Ok = 0,

    /// <summary>The guest's own tables forbid it: #PF with <see cref="TlbFill.ErrorCode"/>.</summary>
    PageFault,

    /// <summary>#GP(0), or #SS(0) for a stack access: the address is not canonical.</summary>
    NotCanonical,

    /// <summary>No memory, or memory that may not be accessed so, lies at <see cref="TlbFill.Gpa"/>: a
    /// device's.</summary>
    Mmio,

    /// <summary>A device's callbacks own <see cref="TlbFill.Gpa"/>: go through ReadDevice and WriteDevice.</summary>
    Device,

    /// <summary>The memory could not be supplied.</summary>
    Error,
}

/// <summary>A translation that a software TLB can keep.</summary>
public unsafe struct TlbFill
{
    /// <summary>The 4 KiB page around the address, in host memory.</summary>
    public byte* HostPage;

    /// <summary>What the whole path allows without another walk.</summary>
    public Prot Granted;

    /// <summary>log2 of the guest-virtual and host-contiguous run around the address: 12, or more for
    /// superpages.</summary>
    public int Shift;

    /// <summary>The run is part of a page of the guest's that is larger than 4 KiB.</summary>
    public bool IsOfLargePage;

    /// <summary>The frame, or 0 when the page is not one (host memory of a device): it can hold no code.</summary>
    public uint Pfn;

    /// <summary>The guest-physical address.</summary>
    public ulong Gpa;

    /// <summary>Error code of a guest page fault.</summary>
    public uint ErrorCode;
}

/// <summary>
/// The memory that a vCPU sees: translation of guest-virtual addresses, the consumer slot, and the bookkeeping of
/// frames that hold decoded code. One instance a vCPU; it is called on slow paths only.
/// </summary>
[AllocationFree]
public abstract unsafe class VcpuMemory
{
    /// <summary>
    /// Counts how often the consumer slot was left. A host pointer is good only while this stays the same.
    /// </summary>
    public ulong Departures { get; protected set; }

    /// <summary>How often the vCPU's translations were emptied because some were shot down.</summary>
    public ulong Flushes { get; private set; }

    /// <summary>The vCPU whose translations are emptied.</summary>
    internal SoftVcpu? Owner { get; set; }

    /// <summary>
    /// Translates one address and supplies its memory, leaving and re-entering the consumer slot where that takes a
    /// fault.
    /// </summary>
    /// <param name="state">The vCPU, for its control registers.</param>
    /// <param name="address">Guest-virtual (linear) address.</param>
    /// <param name="access">One of read, write, execute.</param>
    /// <param name="user">The access counts as a user-mode one.</param>
    /// <param name="fill">The translation, or the fault's particulars.</param>
    public abstract FillStatus Fill(VcpuState* state, ulong address, Prot access, bool user, out TlbFill fill);

    /// <summary>Enters the consumer slot before guest instructions run, and empties what was shot down.</summary>
    /// <returns>False: the guest is being destroyed.</returns>
    public abstract bool Enter();

    /// <summary>
    /// At a block boundary: looks for shootdowns and empties what they took, and stands aside while another vCPU has
    /// the exclusive section.
    /// </summary>
    /// <returns>False: the guest is being destroyed.</returns>
    public abstract bool Poll();

    /// <summary>Leaves the consumer slot: to call a device, or because Run returns.</summary>
    public abstract void Exit();

    /// <summary>Stops every other vCPU of the machine at a block boundary.</summary>
    /// <returns>
    /// False: another vCPU did that first. The slot was left and entered again meanwhile, so the instruction starts
    /// over.
    /// </returns>
    public abstract bool TryBeginExclusive();

    /// <summary>Lets the others go on.</summary>
    public abstract void EndExclusive();

    /// <summary>The control registers changed: CR0, CR3, CR4 or EFER.</summary>
    public abstract void PagingChanged(VcpuState* state);

    /// <summary>Reads from a device that has callbacks (<see cref="FillStatus.Device"/>).</summary>
    public abstract ulong ReadDevice(ulong gpa, int size);

    /// <summary>Writes to a device that has callbacks (<see cref="FillStatus.Device"/>).</summary>
    public abstract void WriteDevice(ulong gpa, int size, ulong value);

    /// <summary>The cell that counts changes of a frame's decoded bytes.</summary>
    public abstract uint* CodeVersion(uint pfn);

    /// <summary>Whether stores to a frame must be watched.</summary>
    public abstract bool IsCode(uint pfn);

    /// <summary>
    /// Declares 64-byte lines of a frame decoded. When it returns, no other vCPU stores to the frame unwatched; it may
    /// have left the slot for that.
    /// </summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="lines">One bit a line.</param>
    /// <returns>True when the frame was not watched before: the caller drops its own rights to store.</returns>
    public abstract bool MarkCode(uint pfn, ulong lines);

    /// <summary>
    /// Reports a store to a watched frame. If it touches a decoded line, the frame's version rises and the frame is no
    /// longer watched.
    /// </summary>
    /// <returns>True when decoded bytes changed.</returns>
    public abstract bool CodeStored(uint pfn, ulong lines);

    /// <summary>Empties the vCPU's translations; an acknowledgement may follow, not precede.</summary>
    protected void EmptyTranslations()
    {
        Flushes++;
        Owner?.FlushTranslations();
    }
}
