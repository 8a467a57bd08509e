using System;
using System.CommandLine;
using System.IO;
using System.Text;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.Machine.Devices;
using Pagoda.Machine.Dump;

namespace Pagoda.Cli;

/// <summary><c>pagoda run</c>: runs a guest until it ends, is cut off, or prints an awaited text.</summary>
/// <remarks>
/// Standard output gets the guest's serial bytes and nothing else; messages, live line and table go to standard error.
/// All input and every output file is checked before the guest's first instruction.
/// </remarks>
internal static class RunCommand
{
    /// <summary>The command with its options.</summary>
    internal static Command Create(CliEnvironment environment)
    {
        var command = new Command("run", "Runs a guest; its serial console goes to standard output.");
        RunArguments.AddTo(command);
        command.SetAction(parsed => Execute(RunArguments.From(parsed), environment));
        return command;
    }

    private static int Execute(RunArguments arguments, CliEnvironment environment)
    {
        MachineOptions options = Plan(arguments);
        ReportFile? json = arguments.Json is null ? null : new ReportFile("--json", arguments.Json);
        if (arguments.Dump is not null) GuardDump(arguments.Dump, () => ElfCoreWriter.CheckTarget(arguments.Dump));

        using VirtualMachine machine = MachineErrors.Named(arguments.Kernel,
            () => new VirtualMachine(options, environment.Console));
        MachineErrors.Warmed(() => VirtualMachine.Warm(options));
        LiveLine? line = !arguments.Quiet && environment.IsTerminal ? new LiveLine(environment.Error) : null;
        RunResult result = machine.Run(line);
        line?.Clear();

        if (arguments.Dump is not null) GuardDump(arguments.Dump, () => machine.WriteCore(arguments.Dump));
        json?.Write(RunReport.ToJson(result).Span);
        if (!arguments.Quiet) RunTable.Write(environment.Error, environment.IsTerminal, result, line is not null);
        return Conclude(arguments, result, environment.Error);
    }

    private static MachineOptions Plan(RunArguments arguments) => MachineErrors.Named(arguments.Kernel, () =>
    {
        var map = new MemoryMap(arguments.MemoryBytes, CpuidModel.PhysBits);
        BootPlan boot = arguments.Kernel is null
            ? BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(arguments.Cpus), map)
            : BootPlan.ForKernel(KernelImage.Parse(ReadKernel(arguments.Kernel)), arguments.Append ?? "", map);
        return new MachineOptions
        {
            Memory = map,
            Boot = boot,
            ArenaBytes = arguments.ArenaBytes,
            Processors = arguments.Cpus,
            Threads = arguments.Threads,
            Tables = arguments.Tables,
            HardwareAd = arguments.HardwareAd,
            Superpages = arguments.Superpages,
            Policy = arguments.Policy,
            ResidentBytes = arguments.ResidentBytes,
            Swap = arguments.Swap,
            ResetSwap = arguments.ResetSwap,
            Until = Encoding.UTF8.GetBytes(arguments.Until ?? ""),
            TimeLimit = arguments.Timeout,
            ErrorCountGpa = arguments.Kernel is null ? MemoryCheckProgram.ErrorCountGpa : null,
        };
    });

    private static byte[] ReadKernel(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            // A pipe or device has no length to check, and may never end.
            if (!file.CanSeek) throw new MachineException(MachineSubject.Kernel, "it is not a regular file; name one.");
            if (file.Length > KernelImage.FileBytesMax)
            {
                throw new MachineException(MachineSubject.Kernel, "it has more than 1 GiB; name a kernel.");
            }
            var image = new byte[file.Length];
            file.ReadExactly(image);
            return image;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MachineException(MachineSubject.Kernel, exception.Message + " Name a file that can be read.");
        }
    }

    private static void GuardDump(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException("--dump '" + path + "' cannot be written (" + exception.Message
                + "): name a file in a directory that takes one.", exception);
        }
    }

    private static int Conclude(RunArguments arguments, RunResult result, TextWriter error)
    {
        if (result.Message.Length > 0) error.WriteLine("pagoda: " + result.Message);
        switch (result.End)
        {
            case RunEnd.Until:
                return ExitStatus.Success;
            case RunEnd.Halt when arguments.Until is null:
                return ExitStatus.Success;
            case RunEnd.Halt:
                error.WriteLine("pagoda: the guest halted before it printed '" + arguments.Until + "'.");
                return ExitStatus.GuestDied;
            case RunEnd.Timeout:
                error.WriteLine("pagoda: the time of --timeout was up.");
                return ExitStatus.Timeout;
            default:
                return ExitStatus.GuestDied;
        }
    }
}
