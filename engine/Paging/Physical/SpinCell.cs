using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>A lock of one native cell: 0 free, 1 taken. For sections of a few hundred instructions.</summary>
/// <remarks>
/// Nobody waits for anything else while holding one, so a holder that loses its processor is the longest wait. The
/// compare-and-swap keeps the section's accesses behind it, the release store keeps them in front.
/// </remarks>
[AllocationFree]
internal readonly unsafe struct SpinCell(uint* cell)
{
    private readonly uint* _cell = cell;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Acquire()
    {
        if (Shared.CompareExchange(_cell, 1, 0) != 0) Contend();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release()
    {
        Invariant.Assert(Shared.Load(_cell) == 1);
        Shared.Store(_cell, 0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Contend()
    {
        var wait = default(Wait);
        do
        {
            // Wait on a plain load: a compare-and-swap that fails would pull the line from its holder each time.
            while (Shared.Load(_cell) != 0) wait.Step();
        }
        while (Shared.CompareExchange(_cell, 1, 0) != 0);
    }
}
