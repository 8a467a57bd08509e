using System;
using BenchmarkDotNet.Running;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf;

/// <summary>
/// <c>gate</c>: every workload once beside its limit, and the bytes it may allocate; fast, and fails on more than the
/// budget. Anything else is BenchmarkDotNet's own command line: <c>--filter '*Walk*'</c>, <c>--list flat</c>, ...
/// </summary>
internal static class Program
{
    private const int StatusFailed = 1;
    private const int StatusBadInput = 2;

    internal static int Main(string[] args)
    {
        if (args is ["gate", .. string[] options]) return RunGate(options);
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, new PerfConfig());
        return 0;
    }

    private static int RunGate(string[] options)
    {
        if (options.Length > 0)
        {
            Console.Error.WriteLine("perf: gate has no option '" + options[0] + "'.");
            return StatusBadInput;
        }
        return GateRunner.Run(Workloads.All(), Budgets.Load(), Console.Out) ? 0 : StatusFailed;
    }
}
