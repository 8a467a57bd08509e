using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;

namespace Pagoda.Perf;

/// <summary>
/// How every benchmark runs: without profile-guided layout, which alone moves identical code by more than half, on a
/// workstation heap without a background thread, and with its allocated bytes.
/// </summary>
internal sealed class PerfConfig : ManualConfig
{
    public PerfConfig()
    {
        Add(DefaultConfig.Instance);
        AddDiagnoser(MemoryDiagnoser.Default);
        AddJob(Job.Default
            .WithEnvironmentVariable("DOTNET_TieredPGO", "0")
            .WithGcServer(false)
            .WithGcConcurrent(false));
    }
}
