using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Against arithmetic on decimal digits, and the manual's own examples.</summary>
public sealed unsafe class SoftVcpuDecimalTests
{
    private VcpuFixture _fixture = null!;

    private byte Al => (byte)_fixture.State->Gpr[0];

    private bool Carry => (_fixture.Cpu.Rflags & Flags.Carry) != 0;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture().Protected();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void SumsAndDifferencesOfTwoDigits()
    {
        _fixture.Load(VcpuFixture.Code, 32, a =>
        {
            a.add(al, bl);
            a.daa();
            a.hlt();
        });
        _fixture.Load(VcpuFixture.Code + 0x100, 32, a =>
        {
            a.sub(al, bl);
            a.das();
            a.hlt();
        });
        for (int x = 0; x < 100; x += 3)
        {
            for (int y = 0; y < 100; y++)
            {
                Set(Packed(x), Packed(y));
                _fixture.Run(VcpuFixture.Code);
                Assert.That((Al, Carry), Is.EqualTo((Packed((x + y) % 100), x + y > 99)), $"{x} + {y}");
                Set(Packed(x), Packed(y));
                _fixture.Run(VcpuFixture.Code + 0x100);
                Assert.That((Al, Carry), Is.EqualTo((Packed((x - y + 100) % 100), x < y)), $"{x} - {y}");
            }
        }
    }

    [Test]
    public void SumsAndDifferencesOfOneDigit()
    {
        _fixture.Load(VcpuFixture.Code, 32, a =>
        {
            a.add(al, bl);
            a.aaa();
            a.hlt();
        });
        _fixture.Load(VcpuFixture.Code + 0x100, 32, a =>
        {
            a.sub(al, bl);
            a.aas();
            a.hlt();
        });
        for (int x = 0; x < 10; x++)
        {
            for (int y = 0; y < 10; y++)
            {
                Set(0x200 + x, y);
                _fixture.Run(VcpuFixture.Code);
                int sum = x + y > 9 ? 0x300 + x + y - 10 : 0x200 + x + y;
                Assert.That(((ushort)_fixture.State->Gpr[0], Carry), Is.EqualTo(((ushort)sum, x + y > 9)));
                Set(0x200 + x, y);
                _fixture.Run(VcpuFixture.Code + 0x100);
                int difference = x < y ? 0x100 + x - y + 10 : 0x200 + x - y;
                Assert.That(((ushort)_fixture.State->Gpr[0], Carry), Is.EqualTo(((ushort)difference, x < y)));
            }
        }
    }

    [Test]
    public void ProductsAndQuotients()
    {
        _fixture.Run32(a =>
        {
            a.mov(al, 63);
            a.aam(10);
            a.mov(ebx, eax);
            a.mov(ax, 0x705);
            a.aad(10);
        });
        Assert.That((ushort)_fixture.State->Gpr[3], Is.EqualTo(0x603));
        Assert.That((ushort)_fixture.State->Gpr[0], Is.EqualTo(75));
        _fixture.HandleByStoring(0, 32);
        _fixture.Run32(a => a.aam(0));
        Assert.That(_fixture.State->Gpr[5], Is.EqualTo(0x1000), "a divide error");
    }

    private void Set(int ax, int bl)
    {
        _fixture.State->Gpr[0] = (ulong)ax;
        _fixture.State->Gpr[3] = (ulong)bl;
        _fixture.Cpu.Rflags = 2;
    }

    private static byte Packed(int value) => (byte)(value / 10 << 4 | value % 10);
}
