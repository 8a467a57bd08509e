using System;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// Lets one vCPU of a machine do what must look like one step to the others: they stand at a block boundary meanwhile.
/// One a machine, shared by its vCPUs.
/// </summary>
/// <remarks>
/// Every vCPU has a word that is 1 while it may execute guest instructions. Who wants the section names itself as its
/// owner, and then waits until the words of the others are 0; each of them looks at the owner between slices of
/// instructions, clears its word outside its consumer slot, and waits. A vCPU that is blocked in a fault, a device or
/// HLT has its word cleared already. So an owner waits only for running vCPUs, those wait for the owner holding
/// nothing, and an owner that finds another one stands aside like everybody else.
/// </remarks>
[AllocationFree]
public sealed unsafe class ExclusiveSection : IDisposable
{
    // Two lines, because the prefetcher reads them in pairs.
    private const int CellBytes = 128;

    private readonly byte* _cells;
    private readonly int _capacity;
    private int _members;

    /// <summary>A section for a machine of at most so many vCPUs.</summary>
    public ExclusiveSection(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _capacity = capacity;
        nuint bytes = (nuint)(capacity + 1) * CellBytes;
        _cells = (byte*)NativeMemory.AlignedAlloc(bytes, CellBytes);
        NativeMemory.Clear(_cells, bytes);
    }

    // 0, or the number of the vCPU that has the section and 1.
    private ulong* Owner => (ulong*)_cells;

    /// <summary>Adds a vCPU; before any of them runs.</summary>
    /// <returns>Its number, from 0.</returns>
    public int Join()
    {
        Invariant.Require(_members < _capacity);
        return _members++;
    }

    /// <summary>A vCPU is about to execute; it waits while another one has the section.</summary>
    public void Enter(int member)
    {
        ulong* word = WordOf(member);
        while (true)
        {
            // A locked operation: the owner is read behind it, so either we see the owner or the owner sees us.
            Shared.Exchange(word, 1);
            if (!IsWanted(member)) return;
            Shared.Store(word, 0);
            var wait = default(Wait);
            while (IsWanted(member)) wait.Step();
        }
    }

    /// <summary>A vCPU does not execute any more. Leaving twice is harmless.</summary>
    public void Exit(int member) => Shared.Store(WordOf(member), 0);

    /// <summary>Whether another vCPU has the section, or waits to have it.</summary>
    public bool IsWanted(int member)
    {
        ulong owner = Shared.Load(Owner);
        return owner != 0 && owner != (ulong)member + 1;
    }

    /// <summary>Whether this vCPU has the section.</summary>
    public bool IsOwner(int member) => Shared.Load(Owner) == (ulong)member + 1;

    /// <summary>Takes the section and waits until no other vCPU executes. The caller executes.</summary>
    /// <returns>False: another vCPU was first; leave and enter again.</returns>
    public bool TryBegin(int member)
    {
        if (IsOwner(member)) return true;
        if (Shared.CompareExchange(Owner, (ulong)member + 1, 0) != 0) return false;
        for (int other = 0; other < _members; other++)
        {
            if (other == member) continue;
            var wait = default(Wait);
            while (Shared.Load(WordOf(other)) != 0) wait.Step();
        }
        return true;
    }

    /// <summary>Gives the section back.</summary>
    public void End(int member)
    {
        Invariant.Require(IsOwner(member));
        Shared.Store(Owner, 0);
    }

    /// <summary>Frees the words; no vCPU uses them any more.</summary>
    public void Dispose() => NativeMemory.AlignedFree(_cells);

    private ulong* WordOf(int member) => (ulong*)(_cells + (member + 1) * CellBytes);
}
