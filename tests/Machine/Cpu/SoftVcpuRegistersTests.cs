using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Control registers and model-specific registers.</summary>
public sealed unsafe class SoftVcpuRegistersTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void CachesMayBeDisabledAndFlushed()
    {
        _fixture.Long().Run64(a =>
        {
            a.mov(rax, cr0);
            a.or(eax, 0x4000_0000);
            a.wbinvd();
            a.mov(cr0, rax);
            a.mov(rbx, cr0);
            a.invd();
        });
        Assert.That(State->Gpr[3] & 0x4000_0000, Is.EqualTo(0x4000_0000));
    }

    [TestCase(0x2000_0011u)]        // NW without CD
    [TestCase(0x8000_0010u)]        // PG without PE
    public void BadCombinationsInCr0AreRefused(uint value)
    {
        _fixture.Protected().HandleByStoring(13, 32);
        _fixture.Run32(a =>
        {
            a.mov(eax, value);
            a.mov(cr0, eax);
        });
        Assert.That(State->Gpr[5], Is.EqualTo(0x100D));
        Assert.That(State->Cr0, Is.EqualTo(0x11));
    }

    [Test]
    public void UnknownBitsOfCr4AndEferAreRefused()
    {
        _fixture.Long().HandleByStoring(13, 64);
        _fixture.Run64(a =>
        {
            a.mov(eax, 1 << 13);
            a.mov(cr4, rax);
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100D));
        State->Gpr[15] = 0;
        _fixture.Run64(a =>
        {
            a.mov(ecx, 0xC000_0080);
            a.mov(eax, 0x1000);
            a.xor(edx, edx);
            a.wrmsr();
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100D));
    }

    [Test]
    public void TheAddressSpaceExtensionStaysOnInLongMode()
    {
        _fixture.Long().HandleByStoring(13, 64);
        _fixture.Run64(a =>
        {
            a.xor(eax, eax);
            a.mov(cr4, rax);
        });
        Assert.That(State->Gpr[15], Is.EqualTo(0x100D));
        Assert.That(State->Cr4, Is.EqualTo(0x20));
    }

    [Test]
    public void SegmentBaseRegistersAreModelSpecificOnes()
    {
        _fixture.Long().Run64(a =>
        {
            a.mov(ecx, 0xC000_0101);
            a.mov(eax, 0x8000_0000);
            a.mov(edx, 0x12);
            a.wrmsr();
            a.swapgs();
            a.rdmsr();
            a.mov(ebx, eax);
            a.mov(ecx, 0xC000_0102);
            a.rdmsr();
        });
        Assert.That(State->Gpr[3], Is.Zero);
        Assert.That(State->Gpr[0] | State->Gpr[2] << 32, Is.EqualTo(0x12_8000_0000));
    }

    [Test]
    public void OtherRegistersAreTheBusses()
    {
        _fixture.Long().HandleByStoring(13, 64);
        _fixture.Run64(a =>
        {
            a.mov(ecx, 0x1B);
            a.rdmsr();
            a.wrmsr();
            a.mov(ebx, eax);
            a.mov(ecx, 0x1C);
            a.rdmsr();
        });
        Assert.That(State->Gpr[3], Is.EqualTo(0x5678_9ABC));
        Assert.That(State->Gpr[15], Is.EqualTo(0x100D));
    }

    [Test]
    public void TheTimeStampCounterCanBeSet()
    {
        _fixture.Long().Run64(a =>
        {
            a.mov(ecx, 0x10);
            a.xor(edx, edx);
            a.mov(eax, 1000);
            a.wrmsr();
            a.rdtsc();
        });
        Assert.That(State->Gpr[0], Is.EqualTo(1001));
    }

    [Test]
    public void DebugAndPriorityRegistersKeepTheirValues()
    {
        _fixture.Long().Run64(a =>
        {
            a.mov(rax, 0x1234UL);
            a.mov(dr3, rax);
            a.mov(rbx, dr3);
            a.mov(eax, 7);
            a.mov(cr8, rax);
            a.mov(rdx, cr8);
        });
        Assert.That(State->Gpr[3], Is.EqualTo(0x1234));
        Assert.That(State->Gpr[2], Is.EqualTo(7));
    }

    [Test]
    public void ProtectedModeIsLeftByItsBit()
    {
        _fixture.Protected();
        _fixture.Run32(a =>
        {
            a.xor(eax, eax);
            a.mov(cr0, eax);
            a.mov(ecx, 0x1234);
            a.mov(ds, ecx);
        });
        Assert.That(State->Cr0, Is.EqualTo(0x10));
        Assert.That(State->SegmentBase[3], Is.EqualTo(0x1_2340), "a segment load is real mode's");
        Assert.That(State->ModeKey & ModeKeys.SizeMask, Is.EqualTo(ModeKeys.Size32), "until CS is loaded");
    }
}
