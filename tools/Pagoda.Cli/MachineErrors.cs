using System;
using Pagoda.Machine;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Cli;

/// <summary>What a machine refuses, in the words of the command line.</summary>
internal static class MachineErrors
{
    /// <summary>Puts the option's name before what the machine says about its value.</summary>
    /// <param name="kernel">The path of --kernel; null where there is none.</param>
    /// <param name="make">Makes the machine.</param>
    internal static T Named<T>(string? kernel, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (MachineException exception)
        {
            string option = exception.Subject switch
            {
                MachineSubject.Memory => "--memory",
                MachineSubject.Arena => "--arena",
                MachineSubject.Processors => "--cpus",
                MachineSubject.Resident => "--resident",
                MachineSubject.Swap => "--swap",
                MachineSubject.Policy => "--policy",
                MachineSubject.Kernel => "--kernel '" + kernel + "'",
                _ => "--append",
            };
            throw new CliException(option + ": " + exception.Message, exception);
        }
        catch (SwapException exception)
        {
            throw new CliException("--swap: " + exception.Message, exception);
        }
        catch (Exception exception) when (exception is ArenaException or OutOfMemoryException)
        {
            throw new CliException("--arena: " + exception.Message + " Use less.", exception);
        }
    }

    /// <summary>Runs what compiles code before a run is measured; it may need a temporary swap file.</summary>
    internal static void Warmed(Action warm)
    {
        try
        {
            warm();
        }
        catch (SwapException exception)
        {
            throw new CliException("the directory for temporary files: " + exception.Message, exception);
        }
    }
}
