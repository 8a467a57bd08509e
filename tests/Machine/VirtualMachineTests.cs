using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class VirtualMachineTests
{
    [Test]
    public void TheGuestStartsFlatWithItsZeroPage()
    {
        // mov eax, [esi+1E8h]; mov dx, 3F8h; add al, '0'; out dx, al; mov ax, cs; out dx, al; mov ax, ds; out; hlt
        byte[] code =
        [
            0x8B, 0x86, 0xE8, 0x01, 0, 0, 0x66, 0xBA, 0xF8, 0x03, 0x04, 0x30, 0xEE, 0x66, 0x8C, 0xC8, 0xEE,
            0x66, 0x8C, 0xD8, 0xEE, 0xF4,
        ];
        RunResult result = BareMachine.Run(code, out string console);
        Assert.That(result.End, Is.EqualTo(RunEnd.Halt), result.Message);
        Assert.That(console, Is.EqualTo("4\u0010\u0018"), "entries of the memory map, CS, DS");
        Assert.That(result.IoExits, Is.EqualTo(3UL));
    }

    [Test]
    public void VgaTextIsMemory()
    {
        // mov byte [0B8000h], 'v'; mov al, [0B8000h]; mov dx, 3F8h; out dx, al; hlt
        byte[] code =
        [
            0xC6, 0x05, 0x00, 0x80, 0x0B, 0, (byte)'v', 0xA0, 0x00, 0x80, 0x0B, 0, 0x66, 0xBA, 0xF8, 0x03, 0xEE, 0xF4,
        ];
        RunResult result = BareMachine.Run(code, out string console);
        Assert.That(console, Is.EqualTo("v"), result.Message);
        Assert.That(result.MmioExits, Is.Zero);
    }

    [Test]
    public void AnArenaWithoutRoomForTheGuestIsRefusedOrEndsTheRunWithTheReason()
    {
        MachineOptions options = BareMachine.Options([0xF4], arenaBytes: 1UL << 20);
        Assert.That(() => new VirtualMachine(options, new CollectingSink()),
            Throws.TypeOf<MachineException>().With.Message.Contains("arena"));

        // cld; mov edi, 100000h; mov ecx, 40000h; rep stosd; hlt: touches more than the arena holds beside the tables
        byte[] code = [0xFC, 0xBF, 0, 0, 0x10, 0, 0xB9, 0, 0, 4, 0, 0xF3, 0xAB, 0xF4];
        using var machine = new VirtualMachine(BareMachine.Options(code, arenaBytes: 2UL << 20), new CollectingSink());
        RunResult result = machine.Run();
        if (result.End == RunEnd.Halt) Assert.Pass("a MiB fits");
        Assert.That(result.Message, Does.Contain("arena"));
    }
}
