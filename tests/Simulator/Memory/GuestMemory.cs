using Pagoda.Core;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Memory;

/// <summary>Accesses of guests and devices: plain ones.</summary>
internal static unsafe class GuestMemory
{
    /// <summary>A plain store that is checked when it becomes visible.</summary>
    public static void Store(ulong* cell, ulong value, TranslatedAccess access)
    {
        SimThread thread = SimThread.Current!;
        thread.Scheduler.Step(thread, cell, writes: true);
        thread.Scheduler.Watch.Touch((byte*)cell);
        thread.Scheduler.Mix(value);
        thread.Scheduler.Log?.Access(thread, "guest stores", cell, value);
        thread.Buffer.Add(new PendingStore
        {
            Address = (byte*)cell,
            Value = value,
            Bytes = sizeof(ulong),
            Kind = StoreKind.Guest,
            Access = access,
        });
    }

    /// <summary>A plain load.</summary>
    public static ulong Load(ulong* cell) => Shared.Load(cell);
}
