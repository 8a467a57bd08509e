using System;
using NUnit.Framework;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class TranslatorX87Tests
{
    [Test]
    public void MemoryOperandsOfEverySizeAreReadAndWritten()
    {
        var random = new SeededGenerator(151);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 50; i++)
        {
            difference.Check(a =>
            {
                a.fninit();
                a.mov(__dword_ptr[rsi], 0x27F);
                a.fldcw(__word_ptr[rsi]);
                a.mov(__qword_ptr[rsi + 8], random.Between(-10_000, 10_000));
                a.fild(__word_ptr[rsi + 8]);
                a.fiadd(__word_ptr[rsi + 8]);
                a.fimul(__dword_ptr[rsi + 8]);
                a.fidiv(__word_ptr[rsi]);
                a.fst(__dword_ptr[rsi + 16]);
                a.fst(__qword_ptr[rsi + 24]);
                a.fadd(__dword_ptr[rsi + 16]);
                a.fsub(__qword_ptr[rsi + 24]);
                a.fmul(__dword_ptr[rsi + 16]);
                a.fdivr(__qword_ptr[rsi + 24]);
                a.fld(st0);
                a.fstp(__tword_ptr[rsi + 32]);
                a.fld(__tword_ptr[rsi + 32]);
                a.faddp(st1, st0);
                a.fisttp(__dword_ptr[rsi + 48]);
                a.fnstsw(__word_ptr[rsi + 52]);
                a.and(__word_ptr[rsi + 52], 0x3800);
                a.fninit();
            }, 0x8D5);
        }
    }

    [Test]
    public void ReversedAndPoppingFormsGoTheRightWay()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Run64(a =>
        {
            a.mov(esi, (int)VcpuFixture.Data);
            a.fninit();
            a.mov(__dword_ptr[rsi], 6);
            a.fild(__dword_ptr[rsi]);
            a.fld1();
            a.fsubrp(st1, st0);         // ST1 = ST0 - ST1 = 1 - 6
            a.fild(__dword_ptr[rsi]);
            a.fsubp(st1, st0);          // -5 - 6
            a.fld1();
            a.fdivrp(st1, st0);         // 1 / -11
            a.fstp(__qword_ptr[rsi + 8]);
            a.fnstsw(ax);
        });
        Assert.That(BitConverter.UInt64BitsToDouble(fixture.Read(VcpuFixture.Data + 8)), Is.EqualTo(-1.0 / 11));
        Assert.That(fixture.State->Gpr[0] & 0x3800, Is.Zero);
    }

    [Test]
    public void PackedDecimalsAreUnsupported()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Load(VcpuFixture.Code, 64, a => a.fbld(__tword_ptr[rsi]));
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(Pagoda.Machine.Cpu.VcpuExit.Unsupported));
    }
}
