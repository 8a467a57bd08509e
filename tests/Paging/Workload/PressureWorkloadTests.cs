using System;
using System.Collections.Generic;
using System.Globalization;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Workload;

/// <summary>
/// The workload in every table format, at one and a half times and four times the memory; superpages and their policy
/// change from case to case. PAGODA_WORKLOAD_ACCESSES says how many accesses each case has, PAGODA_WORKLOAD_SEED which
/// ones, and which policy comes first.
/// </summary>
public sealed class PressureWorkloadTests
{
    private static readonly long s_accesses = Setting("PAGODA_WORKLOAD_ACCESSES", 40_000);
    private static readonly long s_seed = Setting("PAGODA_WORKLOAD_SEED", 20_131_005);
    private static readonly SuperpagePolicy?[] s_policies = [SuperpagePolicy.Fixed, null, SuperpagePolicy.Superpage];

    private static IEnumerable<TestCaseData> Cases()
    {
        long next = s_seed;
        foreach (GuestFormat format in GuestFormats.All)
        {
            foreach (double overcommit in (double[])[1.5, 4])
            {
                yield return new TestCaseData(format, overcommit, s_policies[next++ % s_policies.Length]);
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void EveryByteIsRight(GuestFormat format, double overcommit, SuperpagePolicy? superpages)
    {
        // Not disposed of behind a failure: a guest whose rule broke under a lock would wait for that lock for ever.
        var workload = new PressureWorkload(format, overcommit, superpages, (ulong)s_seed);
        workload.Run(s_accesses, checkpoints: s_accesses < 1_000_000 ? 1 : 10);
        TestContext.Out.WriteLine(workload.Describe());
        workload.Dispose();
    }

    private static long Setting(string name, long standard) =>
        long.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out long value)
            ? value : standard;
}
