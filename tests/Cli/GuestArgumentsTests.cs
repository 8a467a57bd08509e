using NUnit.Framework;

namespace Pagoda.Tests.Cli;

public sealed class GuestArgumentsTests
{
    [TestCase("run")]
    [TestCase("replay -")]
    public void EveryCommandThatMakesAGuestRefusesTheSameNonsense(string command)
    {
        foreach ((string arguments, string message) in new[]
        {
            ("--memory 0", "--memory is zero"), ("--tables x86", "--tables 'x86' is unknown"),
            ("--tables npt --no-hw-ad", "--no-hw-ad: NPT"), ("--swap s", "--swap: nothing would go there"),
            ("--policy superpage --no-superpages", "contradict each other"), ("--reset-swap", "--reset-swap: there is"),
        })
        {
            CliResult result = CliRunner.Run((command + " " + arguments).Split(' '));
            Assert.That(result.Status, Is.EqualTo(2));
            Assert.That(result.Error, Does.Contain(message));
        }
    }
}
