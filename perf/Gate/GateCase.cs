using System;

namespace Pagoda.Perf.Gate;

/// <summary>A workload of the engine, and the least that any engine would have to do for the same result.</summary>
/// <param name="Name">The name in budgets.json.</param>
/// <param name="Engine">Makes the workload.</param>
/// <param name="Limit">Makes its limit: the bare stores, loads or locked operations that cannot be left out.</param>
internal sealed record GateCase(string Name, Func<Workload> Engine, Func<Workload> Limit);
