using System;

namespace Pagoda.Machine;

/// <summary>A machine that cannot be made as asked. The message names what was asked for and what to do.</summary>
/// <param name="subject">What the message is about.</param>
/// <param name="message">One line.</param>
public sealed class MachineException(MachineSubject subject, string message) : Exception(message)
{
    /// <summary>What the message is about, for hosts that name it in their own words.</summary>
    public MachineSubject Subject { get; } = subject;
}

/// <summary>What a <see cref="MachineException"/> is about.</summary>
public enum MachineSubject : byte
{
    /// <summary>The guest's memory.</summary>
    Memory,

    /// <summary>The arena.</summary>
    Arena,

    /// <summary>How much of the guest's memory may be resident.</summary>
    Resident,

    /// <summary>The swap file.</summary>
    Swap,

    /// <summary>When superpages are made.</summary>
    Policy,

    /// <summary>The number of processors.</summary>
    Processors,

    /// <summary>The kernel's image.</summary>
    Kernel,

    /// <summary>The kernel's command line.</summary>
    CommandLine,
}
