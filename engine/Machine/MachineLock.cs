using Pagoda.Core;

namespace Pagoda.Machine;

/// <summary>
/// The one lock of what a machine's vCPUs share outside memory: ports, local APICs, who runs and who halts.
/// </summary>
/// <remarks>
/// For a few hundred instructions, or a write of the console. A holder is outside its consumer slot and waits for
/// nothing. With one host thread it is never contended.
/// </remarks>
[AllocationFree]
public sealed class MachineLock
{
    private uint _taken;

    /// <summary>Takes the lock.</summary>
    public void Acquire()
    {
        if (Shared.CompareExchange(ref _taken, 1, 0) == 0) return;
        var wait = default(Wait);
        do
        {
            wait.Step();
        }
        while (Shared.Load(in _taken) != 0 || Shared.CompareExchange(ref _taken, 1, 0) != 0);
    }

    /// <summary>Takes the lock if it is free; false when it is not.</summary>
    public bool TryAcquire() => Shared.CompareExchange(ref _taken, 1, 0) == 0;

    /// <summary>Gives the lock back.</summary>
    public void Release()
    {
        uint taken = Shared.CompareExchange(ref _taken, 0, 1);
        Invariant.Require(taken == 1);
    }
}
