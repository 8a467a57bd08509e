using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class SoftVcpuSegmentsTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void LoadingADataSegmentTakesBaseLimitAndRightsFromItsDescriptor()
    {
        _fixture.Protected();
        // Base 0x12345000, limit 0x00FFF bytes, read/write, not yet accessed.
        _fixture.Write(VcpuFixture.Gdt + 0x20, 0x1240_9234_5000_0FFF);
        _fixture.Run32(a =>
        {
            a.mov(eax, 0x20);
            a.mov(fs, eax);
        });
        Assert.That(State->SegmentBase[4], Is.EqualTo(0x1234_5000));
        Assert.That(State->Fs.Limit, Is.EqualTo(0xFFF));
        Assert.That(State->Fs.Selector, Is.EqualTo(0x20));
        // The descriptor was marked accessed.
        Assert.That(_fixture.Read(VcpuFixture.Gdt + 0x25, 1), Is.EqualTo(0x93));
    }

    [TestCase(0x100, 0x100)]        // beyond the table
    [TestCase(0x20, 0x20)]          // a code segment that cannot be read
    public void BadSelectorsAreRefusedWithTheirOwnNumber(int selector, int errorCode)
    {
        _fixture.Protected().HandleByStoring(13, 32);
        _fixture.Write(VcpuFixture.Gdt + 0x20, 0x00CF_9900_0000_FFFF);
        _fixture.Run32(a =>
        {
            a.mov(eax, selector);
            a.mov(es, eax);
        });
        Assert.That(State->Gpr[5], Is.EqualTo(0x100D));
        Assert.That(_fixture.Read(State->Gpr[4], 4), Is.EqualTo((ulong)errorCode));
        Assert.That(State->Es.Selector, Is.EqualTo(VcpuFixture.Data32));
    }

    [Test]
    public void AnAbsentSegmentRaisesNotPresent()
    {
        _fixture.Protected().HandleByStoring(11, 32);
        _fixture.Write(VcpuFixture.Gdt + 0x20, 0x00CF_1300_0000_FFFF);
        _fixture.Run32(a =>
        {
            a.mov(eax, 0x20);
            a.mov(ds, eax);
        });
        Assert.That(State->Gpr[5], Is.EqualTo(0x100B));
    }

    [Test]
    public void ANullStackSegmentIsRefusedIn32BitMode()
    {
        _fixture.Protected().HandleByStoring(13, 32);
        _fixture.Run32(a =>
        {
            a.xor(eax, eax);
            a.mov(ss, eax);
        });
        Assert.That(State->Gpr[5], Is.EqualTo(0x100D));
    }

    [Test]
    public void SegmentBasesCountIn32BitModeAndForFsIn64BitMode()
    {
        _fixture.Protected();
        _fixture.Cpu.SetSegment(4, 0x20, 0xC093, uint.MaxValue, VcpuFixture.Data);
        _fixture.Write(VcpuFixture.Data + 0x10, 0xCAFE, 4);
        _fixture.Run32(a => a.mov(eax, __dword_ptr.fs[0x10]));
        Assert.That(State->Gpr[0], Is.EqualTo(0xCAFE));

        _fixture.Long();
        _fixture.Cpu.SetSegment(4, 0, 0xC093, uint.MaxValue, VcpuFixture.Data);
        _fixture.Run64(a =>
        {
            a.mov(ecx, 8);
            a.mov(rax, __qword_ptr.fs[rcx * 2]);
            a.mov(edx, __dword_ptr.ds[VcpuFixture.Data + 0x10]);
        });
        Assert.That(State->Gpr[0], Is.EqualTo(0xCAFE));
        Assert.That(State->Gpr[2], Is.EqualTo(0xCAFE));
    }

    [Test]
    public void FarJumpsEnter64BitModeAndLeaveIt()
    {
        // From 32-bit protected mode with paging off into long mode and back to compatibility mode.
        _fixture.Protected();
        const ulong Wide = 0x6_0000;
        const ulong Narrow = 0x6_1000;
        _fixture.Load(Wide, 64, a =>
        {
            a.mov(r8, 0x1234_5678_9ABCUL);
            a.push(VcpuFixture.Code32);
            a.push((int)Narrow);
            a.db(0x48, 0xCB);          // far return with 64-bit operands
        });
        _fixture.Load(Narrow, 32, a =>
        {
            a.mov(ebx, 0x77);
            a.inc(ebx);
            a.hlt();
        });
        _fixture.Load(VcpuFixture.Code, 32, a =>
        {
            a.mov(eax, cr4);
            a.or(eax, 0x20);
            a.mov(cr4, eax);
            a.mov(ecx, 0xC000_0080);
            a.rdmsr();
            a.or(eax, 0x100);
            a.wrmsr();
            a.mov(eax, cr0);
            a.or(eax, 0x8000_0000);
            a.mov(cr0, eax);
            a.jmp(VcpuFixture.Code64, (uint)Wide);
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[8], Is.EqualTo(0x1234_5678_9ABC));
        Assert.That(State->Gpr[3], Is.EqualTo(0x78));
        Assert.That(State->Cs.Selector, Is.EqualTo(VcpuFixture.Code32));
        Assert.That(State->Efer & 0x400, Is.EqualTo(0x400));
    }

    [Test]
    public void CodeIsDecodedAnewForAnotherMode()
    {
        // 48 is DEC EAX in 32-bit mode and a prefix in 64-bit mode.
        _fixture.Protected();
        _fixture.LoadBytes(VcpuFixture.Code, 0x48, 0x40, 0xF4);
        State->Gpr[0] = 10;
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[0], Is.EqualTo(10));
        _fixture.Long();
        State->Gpr[0] = 10;
        _fixture.LoadBytes(VcpuFixture.Code + 0x10, 0x48, 0x40, 0xF4);
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[0], Is.EqualTo(10));
    }
}
