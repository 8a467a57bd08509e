using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Segment limits, and addresses of bits.</summary>
public sealed unsafe class SoftVcpuAddressTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [TestCase(0xFFCu, false)]
    [TestCase(0xFFDu, true)]
    [TestCase(0xFFFF_FFFEu, true)]
    public void AnAccessBeyondTheLimitIsRefused(uint offset, bool isRefused)
    {
        _fixture.Protected().HandleByStoring(13, 32);
        _fixture.Cpu.SetSegment(3, VcpuFixture.Data32, 0x4093, 0xFFF, VcpuFixture.Data);
        _fixture.Cpu.ModeChanged();
        _fixture.Write(VcpuFixture.Data + 0xFFC, 0x1111, 4);
        _fixture.Run32(a =>
        {
            a.mov(ecx, offset);
            a.mov(eax, __dword_ptr[ecx]);
        });
        Assert.That(State->Gpr[5] == 0x100D, Is.EqualTo(isRefused));
        if (!isRefused) Assert.That(State->Gpr[0], Is.EqualTo(0x1111));
    }

    [TestCase(0x0FFFu, true)]
    [TestCase(0x1000u, false)]
    public void AnExpandDownSegmentAllowsWhatLiesAboveItsLimit(uint offset, bool isRefused)
    {
        _fixture.Protected().HandleByStoring(13, 32);
        _fixture.Cpu.SetSegment(3, VcpuFixture.Data32, 0x4097, 0xFFF, VcpuFixture.Data);
        _fixture.Cpu.ModeChanged();
        _fixture.Run32(a =>
        {
            a.mov(ecx, offset);
            a.mov(__byte_ptr[ecx], 5);
        });
        Assert.That(State->Gpr[5] == 0x100D, Is.EqualTo(isRefused));
    }

    [Test]
    public void AStoreThroughAReadOnlySegmentIsRefused()
    {
        _fixture.Protected().HandleByStoring(13, 32);
        _fixture.Cpu.SetSegment(0, VcpuFixture.Data32, 0xC091, uint.MaxValue, 0);
        _fixture.Cpu.ModeChanged();
        _fixture.Run32(a => a.mov(__byte_ptr.es[(uint)VcpuFixture.Data], 5));
        Assert.That(State->Gpr[5], Is.EqualTo(0x100D));
    }

    [Test]
    public void AStackAccessBeyondTheLimitIsAStackFault()
    {
        _fixture.Protected();
        _fixture.Cpu.SetSegment(2, VcpuFixture.Data32, 0x4093, 0xF_FFFF, 0);
        _fixture.Cpu.ModeChanged();
        _fixture.HandleByStoring(12, 32);
        _fixture.Run32(a =>
        {
            a.mov(ebp, 0x20_0000);
            a.mov(eax, __dword_ptr[ebp]);
        });
        Assert.That(State->Gpr[5], Is.EqualTo(0x100C));
    }

    [Test]
    public void StringsGoThroughTheirSegments()
    {
        _fixture.Protected();
        _fixture.Cpu.SetSegment(0, VcpuFixture.Data32, 0x4093, 0xF_FFFF, VcpuFixture.Data);
        _fixture.Cpu.ModeChanged();
        _fixture.Run32(a =>
        {
            a.xor(edi, edi);
            a.mov(eax, 0x5A5A_5A5A);
            a.mov(ecx, 4);
            a.rep.stosd();
        });
        Assert.That(_fixture.Read(VcpuFixture.Data + 8), Is.EqualTo(0x5A5A_5A5A_5A5A_5A5A));
        Assert.That(State->Gpr[7], Is.EqualTo(16));
    }

    [Test]
    public void ASixteenBitAddressWrapsAt64KiB()
    {
        _fixture.Protected();
        _fixture.Write(0x8, 0x4321, 2);
        _fixture.Run32(a =>
        {
            a.mov(ebx, 0xFFFF);
            a.mov(esi, 0x9);
            a.mov(ax, __word_ptr[bx + si]);
        });
        Assert.That((ushort)State->Gpr[0], Is.EqualTo(0x4321));
    }
}
