using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>TLB misses, page crossings, devices, and stores to code.</summary>
public sealed unsafe class SoftVcpuMemoryTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void LoadsAndStoresAcrossPagesAreWhole()
    {
        _fixture.Long();
        _fixture.Write(0x10_0FFD, 0x1122_3344_5566_7788);
        _fixture.Run64(a =>
        {
            a.mov(rax, __qword_ptr[0x10_0FFD]);
            a.not(rax);
            a.mov(__qword_ptr[0x10_1FFC], rax);
            a.add(__dword_ptr[0x10_0FFE], 1);
            a.mov(cx, __word_ptr[0x10_0FFF]);
        });
        Assert.That(_fixture.Read(0x10_1FFC), Is.EqualTo(~0x1122_3344_5566_7788UL));
        Assert.That(_fixture.Read(0x10_0FFE, 4), Is.EqualTo(0x4455_6677 + 1));
        Assert.That((ushort)State->Gpr[1], Is.EqualTo(0x5566));
    }

    [Test]
    public void AStoreAcrossPagesChecksBothBeforeItWrites()
    {
        _fixture.Long().HandleByStoring(14, 64);
        _fixture.Memory.SetRights(0x10_1000, Prot.Read);
        _fixture.Run64(a =>
        {
            a.mov(rax, 0x1111_1111_1111_1111UL);
            a.mov(__qword_ptr[0x10_0FFC], rax);
        });
        Assert.That(State->Cr2, Is.EqualTo(0x10_1000));
        Assert.That(_fixture.Read(0x10_0FFC, 4), Is.Zero);
    }

    [Test]
    public void DeviceMemoryGoesToTheBusAndTakesTime()
    {
        _fixture.Long();
        _fixture.Memory.SetDevice(0x10_0000);
        _fixture.Bus.MmioAnswer = 0x8877_6655_4433_2211;
        _fixture.Run64(a =>
        {
            a.movzx(eax, __byte_ptr[0x10_0123]);
            a.mov(rbx, __qword_ptr[0x10_0200]);
            a.mov(__word_ptr[0x10_0300], bx);
        });
        Assert.That(State->Gpr[0], Is.EqualTo(0x11));
        Assert.That(State->Gpr[3], Is.EqualTo(0x8877_6655_4433_2211));
        Assert.That((_fixture.Bus.LastMmioGpa, _fixture.Bus.LastMmioSize), Is.EqualTo((0x10_0300UL, 2)));
        Assert.That(_fixture.Bus.LastMmioValue, Is.EqualTo(0x2211));
        Assert.That(_fixture.Bus.TimeSeen, Is.EqualTo(2 + 2000));
        Assert.That(_fixture.Bus.WasInsideSlot, Is.False);
    }

    [Test]
    public void MemoryThatTheMachineDoesNotLetBeWrittenStillAnswersALoad()
    {
        _fixture.Long();
        _fixture.Memory.SetRom(0x10_0000);
        _fixture.Write(0x10_0010, 0x55, 4);
        _fixture.Run64(a => a.or(__dword_ptr[0x10_0010], 0x200));
        Assert.That(_fixture.Read(0x10_0010, 4), Is.EqualTo(0x55));
        Assert.That(_fixture.Bus.LastMmioValue, Is.EqualTo(0x255));
        Assert.That(_fixture.Bus.MmioReads, Is.Zero);
    }

    [Test]
    public void CodeThatWritesTheNextInstructionExecutesTheNewOne()
    {
        _fixture.Long();
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.mov(__byte_ptr[edi], 2);      // four bytes with the address prefix
            a.mov(ecx, 3);                  // 4..8, its immediate is written
            a.hlt();
        });
        State->Gpr[7] = VcpuFixture.Code + 5;
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[1], Is.EqualTo(2));
    }

    [Test]
    public void ALoopThatRewritesItselfSeesEveryVersion()
    {
        _fixture.Long();
        // mov eax, imm32 whose immediate grows by one in each turn; the sum shows what was executed.
        const ulong Patched = 0x1_0020;
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(ecx, 100);
            a.xor(ebx, ebx);
            while (a.Instructions.Count < 27) a.nop();
            a.Label(ref top);
            a.mov(eax, 0);
            a.add(ebx, eax);
            a.inc(__dword_ptr[Patched + 1]);
            a.dec(ecx);
            a.jnz(top);
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[3], Is.EqualTo(99 * 100 / 2));
    }

    [Test]
    public void DataBesideCodeDoesNotDecodeItAnew()
    {
        _fixture.Long();
        _fixture.Run64(a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(ecx, 1000);
            a.Label(ref top);
            a.mov(__dword_ptr[VcpuFixture.Code + 0x800], ecx);
            a.add(__dword_ptr[VcpuFixture.Code + 0x900], 1);
            a.dec(ecx);
            a.jnz(top);
        });
        Assert.That(State->BlocksDecoded, Is.LessThan(6));
        Assert.That(_fixture.Read(VcpuFixture.Code + 0x900, 4), Is.EqualTo(1000));
        Assert.That(_fixture.Memory.HasCode(VcpuFixture.Code), Is.True);
    }

    [Test]
    public void MemoryThatHeldCodeIsOrdinaryAgainOnceItIsOverwritten()
    {
        _fixture.Long();
        const ulong Old = 0x6_0000;
        _fixture.Load(Old, 64, a => a.ret());
        _fixture.Run64(a =>
        {
            a.mov(eax, (int)Old);
            a.call(rax);
            a.mov(edi, (int)Old);
            a.mov(ecx, 512);
            a.rep.stosq();
        });
        Assert.That(_fixture.Memory.HasCode(Old), Is.False);
    }

    [Test]
    public void ACopyOfCodeRunsAndItsOldPlaceMayChange()
    {
        _fixture.Long();
        const ulong From = 0x6_0000;
        const ulong To = 0x6_8000;
        _fixture.Load(From, 64, a =>
        {
            Iced.Intel.Label here = a.CreateLabel();
            a.Label(ref here);
            a.lea(rax, __[here]);
            a.ret();
        });
        _fixture.Run64(a =>
        {
            a.mov(ebx, (int)From);
            a.call(rbx);
            a.mov(r8, rax);
            a.mov(esi, (int)From);
            a.mov(edi, (int)To);
            a.mov(ecx, 64);
            a.rep.movsb();
            a.mov(ebx, (int)To);
            a.call(rbx);
            a.mov(r9, rax);
            a.mov(__byte_ptr[From], 0xC3);
            a.mov(ebx, (int)From);
            a.xor(eax, eax);
            a.call(rbx);
        });
        Assert.That(State->Gpr[8], Is.EqualTo(From));
        Assert.That(State->Gpr[9], Is.EqualTo(To));
        Assert.That(State->Gpr[0], Is.Zero);
    }

    [Test]
    public void SuperpagesFillTheirPagesWithoutAnotherWalk()
    {
        _fixture.Long();
        _fixture.Memory.Superpages = true;
        ulong before = State->TlbFills;
        _fixture.Run64(a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(ebx, 0x20_0000);
            a.mov(ecx, 512);
            a.Label(ref top);
            a.mov(__dword_ptr[rbx], ecx);
            a.add(ebx, 0x1000);
            a.dec(ecx);
            a.jnz(top);
        });
        Assert.That(State->TlbFills - before, Is.LessThan(6));
        Assert.That(_fixture.Read(0x3F_F000, 4), Is.EqualTo(1));
    }

    [Test]
    public void ALoadThatBeginsInMemoryAndEndsInADeviceAsksItOnce()
    {
        _fixture.Long();
        _fixture.Write(0x10_0FFC, 0x1122_3344, 4);
        _fixture.Memory.SetDevice(0x10_1000);
        _fixture.Bus.MmioAnswer = 0x5566_7788;
        _fixture.Run64(a => a.mov(rax, __qword_ptr[0x10_0FFC]));
        Assert.That(State->Gpr[0], Is.EqualTo(0x5566_7788_1122_3344));
        Assert.That(_fixture.Bus.MmioReads, Is.EqualTo(1));
    }
}
