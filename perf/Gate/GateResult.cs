namespace Pagoda.Perf.Gate;

/// <summary>What one case measured.</summary>
/// <param name="Name">The case.</param>
/// <param name="Operation">What one operation is.</param>
/// <param name="Nanoseconds">Median per operation.</param>
/// <param name="BestNanoseconds">The fastest round: on a shared machine the nearest to the truth.</param>
/// <param name="LimitOperation">What one operation of the limit is.</param>
/// <param name="LimitNanoseconds">The limit's median per operation, from rounds between the workload's.</param>
/// <param name="LimitBestNanoseconds">The limit's fastest round.</param>
/// <param name="BytesPerRun">Managed bytes allocated by one run, rounded up: 0 means not one byte.</param>
internal sealed record GateResult(
    string Name,
    string Operation,
    double Nanoseconds,
    double BestNanoseconds,
    string LimitOperation,
    double LimitNanoseconds,
    double LimitBestNanoseconds,
    long BytesPerRun);
