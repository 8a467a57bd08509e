using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class KeyboardControllerTests
{
    [TestCase(KeyboardController.StatusPort, 0xFE, true)]
    [TestCase(KeyboardController.StatusPort, 0xAA, false)]
    [TestCase(KeyboardController.DataPort, 0xFE, false)]
    public void OnlyThePulseCommandAsksForAReset(int port, int value, bool asks)
    {
        var keyboard = new KeyboardController();
        keyboard.Write(port, (byte)value);
        Assert.That(keyboard.IsResetAsked, Is.EqualTo(asks));
    }

    [Test]
    public void ItsBuffersAreEmpty() =>
        Assert.That(new KeyboardController().Read(KeyboardController.StatusPort), Is.EqualTo(0x14));
}
