using System.IO;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Integer instructions in 32-bit mode, where they must do what the same bytes do in 64-bit mode.</summary>
public sealed unsafe class SoftVcpuIntegerTests
{
    private static readonly Mnemonic[] s_mnemonics =
    [
        Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb, Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp,
        Mnemonic.Test, Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not, Mnemonic.Shl, Mnemonic.Shr, Mnemonic.Sar,
        Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr, Mnemonic.Shld, Mnemonic.Shrd, Mnemonic.Imul,
        Mnemonic.Mul, Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Lea, Mnemonic.Xchg, Mnemonic.Xadd,
        Mnemonic.Cmpxchg, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Cmove, Mnemonic.Cmovl, Mnemonic.Setb, Mnemonic.Setg,
        Mnemonic.Cwde, Mnemonic.Cdq, Mnemonic.Cbw, Mnemonic.Cmc, Mnemonic.Lahf, Mnemonic.Sahf,
    ];

    [Test]
    public void TheSameBytesDoTheSameInBothModes()
    {
        var random = new SeededGenerator(111);
        using var fixture = new VcpuFixture();
        var code = new RandomCode(random, new InstructionGenerator(random, s_mnemonics) { IsLegacy = true });
        var before = new ulong[4];
        var wide = new ulong[5];
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = Encode(code.Next(random.Between(1, 12), withBranches: false));
            for (int register = 0; register < 4; register++) before[register] = (uint)random.Next();
            ulong flags = random.Next() & Flags.Arithmetic;
            Execute(fixture.Long(), bytes, before, flags, wide);
            ulong memory = fixture.Memory.Checksum(VcpuFixture.Data, 0x2000);
            var narrow = new ulong[5];
            Execute(fixture.Protected(), bytes, before, flags, narrow);
            string context = System.Convert.ToHexString(bytes) + ", " + random;
            Assert.That(narrow, Is.EqualTo(wide), context);
            Assert.That(fixture.Memory.Checksum(VcpuFixture.Data, 0x2000), Is.EqualTo(memory), context);
        }
    }

    [Test]
    public void LeadingZerosAreCountedAsTheReportedFeatureSays()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Run64(a =>
        {
            a.mov(ecx, 0x0010_0000);
            a.lzcnt(eax, ecx);
            a.xor(edx, edx);
            a.lzcnt(edx, edx);
            a.setc(bl);
            a.mov(esi, 0x77);
            a.xor(ecx, ecx);
            a.tzcnt(esi, ecx);      // without BMI1: BSF, which leaves the destination alone
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(11));
        Assert.That(fixture.State->Gpr[2], Is.EqualTo(32));
        Assert.That((byte)fixture.State->Gpr[3], Is.EqualTo(1));
        Assert.That(fixture.State->Gpr[6], Is.EqualTo(0x77));
    }

    private static void Execute(VcpuFixture fixture, byte[] bytes, ulong[] before, ulong flags, ulong[] after)
    {
        new SeededGenerator(5).Fill(new System.Span<byte>(fixture.Memory.Base + VcpuFixture.Data, 0x2000));
        fixture.LoadBytes(VcpuFixture.Code, bytes);
        fixture.LoadBytes(VcpuFixture.Code + (ulong)bytes.Length, 0xF4);
        for (int i = 0; i < 4; i++) fixture.State->Gpr[i] = before[i];
        for (int i = 5; i < 8; i++) fixture.State->Gpr[i] = VcpuFixture.Data + 0x1000;
        fixture.Cpu.Rflags = flags;
        Assert.That(fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        for (int i = 0; i < 4; i++) after[i] = (uint)fixture.State->Gpr[i];
        after[4] = fixture.Cpu.Rflags;
    }

    private static byte[] Encode(Instruction[] instructions)
    {
        using var stream = new MemoryStream();
        var encoder = Encoder.Create(64, new StreamCodeWriter(stream));
        foreach (Instruction instruction in instructions) encoder.Encode(instruction, (ulong)stream.Length);
        return stream.ToArray();
    }
}
