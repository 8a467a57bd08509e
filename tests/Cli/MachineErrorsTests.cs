using System;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Machine;
using Pagoda.Pagers;

namespace Pagoda.Tests.Cli;

public sealed class MachineErrorsTests
{
    [TestCase(MachineSubject.Memory, "--memory: why")]
    [TestCase(MachineSubject.Arena, "--arena: why")]
    [TestCase(MachineSubject.Resident, "--resident: why")]
    [TestCase(MachineSubject.Swap, "--swap: why")]
    [TestCase(MachineSubject.Policy, "--policy: why")]
    [TestCase(MachineSubject.Kernel, "--kernel 'k': why")]
    [TestCase(MachineSubject.CommandLine, "--append: why")]
    public void EverySubjectIsAnOption(MachineSubject subject, string words) => Assert.That(
        () => MachineErrors.Named<int>("k", () => throw new MachineException(subject, "why")),
        Throws.TypeOf<CliException>().With.Message.EqualTo(words));

    [Test]
    public void SwapFilesAndMemoryThatCannotBeHadAreNamed()
    {
        Assert.That(() => MachineErrors.Named<int>(null, () => throw new SwapException("no")),
            Throws.TypeOf<CliException>().With.Message.EqualTo("--swap: no"));
        Assert.That(() => MachineErrors.Named<int>(null, () => throw new InsufficientMemoryException("no.")),
            Throws.TypeOf<CliException>().With.Message.EqualTo("--arena: no. Use less."));
        Assert.That(() => MachineErrors.Warmed(() => throw new SwapException("no")),
            Throws.TypeOf<CliException>().With.Message.Contains("temporary files"));
        Assert.That(MachineErrors.Named(null, () => 5), Is.EqualTo(5));
    }
}
