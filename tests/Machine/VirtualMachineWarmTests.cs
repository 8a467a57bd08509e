using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class VirtualMachineWarmTests
{
    [Test]
    public void WarmingLeavesTheMachineToComeAlone()
    {
        MachineOptions options = BareMachine.Options([0xF4]);
        using var machine = new VirtualMachine(options, new CollectingSink());
        VirtualMachine.Warm(options);
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt));
        Assert.That(result.GuestInstructions, Is.EqualTo(1UL));
    }
}
