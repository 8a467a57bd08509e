using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>What a vCPU expects of its memory, shown with the tests' own.</summary>
public sealed unsafe class VcpuMemoryTests
{
    [Test]
    public void AShootdownBetweenSlicesEmptiesTheTranslations()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(14, 64);
        fixture.Load(VcpuFixture.Code, 64, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.Label(ref top);
            a.inc(__qword_ptr[0x10_0000]);
            a.jmp(top);
        });
        fixture.Memory.OnPoll = () =>
        {
            fixture.Memory.SetRights(0x10_0000, Prot.Read);
            fixture.Memory.Shootdown();
            fixture.Memory.OnPoll = null;
        };
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(fixture.State->Gpr[15], Is.EqualTo(0x100E));
        Assert.That(fixture.Read(0x10_0000), Is.InRange(500UL, 1024UL));
    }

    [Test]
    public void APointerFromBeforeADepartureIsNotUsed()
    {
        // The second page's translation leaves the slot and moves the first page: both are translated again.
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Write(0x10_0FFC, 0x1111_1111, 4);
        fixture.Write(0x10_1000, 0x2222_2222, 4);
        fixture.Memory.DepartsAt = 0x10_1000;
        fixture.Memory.OnDeparture = () => fixture.Write(0x10_0FFC, 0x3333_3333, 4);
        fixture.Run64(a => a.mov(rax, __qword_ptr[0x10_0FFC]));
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x2222_2222_3333_3333));
    }

    [Test]
    public void AMoveOfAStringSurvivesADepartureInTheMiddle()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        for (int i = 0; i < 1024; i++) fixture.Write(0x20_0000 + (ulong)i * 8, (ulong)i * 3);
        fixture.Memory.DepartsAt = 0x30_1000;
        fixture.Run64(a =>
        {
            a.mov(esi, 0x20_0000);
            a.mov(edi, 0x30_0000);
            a.mov(ecx, 1024);
            a.rep.movsq();
        });
        for (int i = 0; i < 1024; i++) Assert.That(fixture.Read(0x30_0000 + (ulong)i * 8), Is.EqualTo((ulong)i * 3));
    }
}
