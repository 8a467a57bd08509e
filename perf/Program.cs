using System;
using System.IO;
using BenchmarkDotNet.Running;
using Pagoda.Perf.Gate;
using Pagoda.Perf.Machine;
using Pagoda.Perf.Scaling;
using Pagoda.Perf.Stress;

namespace Pagoda.Perf;

/// <summary>
/// <c>gate [WORKLOAD...]</c>: every workload, or those, once beside its limit, and the bytes it may allocate; fast, and
/// fails on more than the budget. <c>stress [--seconds N | --minutes N]</c>: guests under pressure, real threads, every
/// word checked. <c>scaling</c>: what vCPUs cost one another on two threads. <c>guest [KERNEL]</c>: the speed of
/// guests, with the memory tester's kernel beside QEMU. Anything else is BenchmarkDotNet's own command line:
/// <c>--filter '*Walk*'</c>, <c>--list flat</c>, ...
/// </summary>
internal static class Program
{
    private const int StatusFailed = 1;
    private const int StatusBadInput = 2;

    internal static int Main(string[] args)
    {
        if (args is ["gate", .. string[] options]) return RunGate(options);
        if (args is ["scaling"]) return ScalingRunner.Run(Console.Out) ? 0 : StatusFailed;
        if (args is ["stress", .. string[] time]) return RunStress(time);
        if (args is ["guest", .. string[] rest]) return RunGuests(rest);
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, new PerfConfig());
        return 0;
    }

    private static int RunGate(string[] options)
    {
        GateCase[] cases = Workloads.All();
        foreach (string name in options)
        {
            if (Array.Exists(cases, item => item.Name == name)) continue;
            Console.Error.WriteLine("perf: gate has no workload '" + name + "'.");
            return StatusBadInput;
        }
        var budgets = Budgets.Load();
        if (options.Length > 0)
        {
            cases = Array.FindAll(cases, item => Array.IndexOf(options, item.Name) >= 0);
            budgets = budgets.Of(cases);
        }
        return GateRunner.Run(cases, budgets, Console.Out) ? 0 : StatusFailed;
    }

    private static int RunStress(string[] options)
    {
        if (StressRunner.TimeOf(options) is { } time) return StressRunner.Run(time, Console.Out) ? 0 : StatusFailed;
        Console.Error.WriteLine("perf: stress takes --seconds or --minutes with a number above 0.");
        return StatusBadInput;
    }

    private static int RunGuests(string[] rest)
    {
        string? kernel = rest.Length > 0 ? rest[0] : null;
        if (rest.Length <= 1 && (kernel is null || File.Exists(kernel)))
        {
            return GuestRunner.Run(kernel, Console.Out) ? 0 : StatusFailed;
        }
        Console.Error.WriteLine("perf: guest takes one kernel file at most, as tools/fetch-guests prints it.");
        return StatusBadInput;
    }
}
