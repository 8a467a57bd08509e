using NUnit.Framework;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Forms of addresses against the host's processor.</summary>
public sealed unsafe class TranslatorOperandsTests
{
    [Test]
    public void EveryFormOfAddressReachesWhatTheHostReaches()
    {
        var random = new SeededGenerator(141);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 60; i++)
        {
            ulong data = difference.Data + (ulong)random.Below(0x4000);
            difference.Prepare = registers => registers.Values[9] = (ulong)random.Below(100);
            difference.Check(a =>
            {
                a.mov(rax, __qword_ptr[rsi + r9 * 8 + 16]);
                a.mov(rbx, __qword_ptr[rdi + r9 * 4 - 8]);
                a.movsx(ecx, __byte_ptr[rsi + r9]);
                a.movsxd(rdx, __dword_ptr[rsi + r9 * 2]);
                a.movzx(r8d, __word_ptr[rbp + r9 * 2 - 100]);
                a.mov(r12, data);
                a.mov(r13, __qword_ptr[r12]);
                a.lea(r14, __[rsi + r9 * 8 + 0x1234]);
                a.lea(r15d, __[rsi + r9 * 2 - 7]);
                a.lea(r11w, __[rsi + r9]);
                a.mov(__byte_ptr[rsi + 3], dh);
                a.mov(__byte_ptr[rsi + r9 * 4 + 3], dl);
                a.mov(__word_ptr[rsi + r9 * 4 + 8], 0x7788);
                a.mov(__dword_ptr[rdi + r9 * 8], r14d);
                a.add(__qword_ptr[rdi + r9 * 8 + 64], r13);
                a.xor(__byte_ptr[rdi + r9 * 8 + 99], 0x5A);
                a.cmp(__word_ptr[rdi + r9 * 8 + 64], 5);
            });
        }
    }

    [Test]
    public void AddressesOfThirtyTwoBitsWrapIn64BitMode()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Write(VcpuFixture.Data, 0x7788, 2);
        fixture.Run64(a =>
        {
            a.mov(rbx, 0xFFFF_FFFF_FFFF_0000UL);
            a.movzx(eax, __word_ptr[ebx + (int)VcpuFixture.Data + 0x1_0000]);
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x7788));
    }

    [Test]
    public void AddressesWrapAt32BitsInProtectedMode()
    {
        using VcpuFixture fixture = new VcpuFixture().Protected();
        fixture.Write(VcpuFixture.Data, 0x1122_3344, 4);
        fixture.Run32(a =>
        {
            a.mov(ebx, 0xFFFF_0000);
            a.mov(eax, __dword_ptr[ebx + ebx * 1 + ((int)VcpuFixture.Data + 0x2_0000)]);
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x1122_3344));
    }

    [Test]
    public void AbsoluteAddressesOf64BitsAreReached()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Write(VcpuFixture.Data, 0x55, 1);
        fixture.Run64(a =>
        {
            a.db(0xA0, 0x00, 0x00, 0x02, 0, 0, 0, 0, 0);       // mov al, [0x20000]
            a.db(0x48, 0xA3, 0x10, 0x00, 0x02, 0, 0, 0, 0, 0); // mov [0x20010], rax
        });
        Assert.That((byte)fixture.State->Gpr[0], Is.EqualTo(0x55));
        Assert.That(fixture.Read(VcpuFixture.Data + 0x10, 1), Is.EqualTo(0x55));
    }
}
