using System.Threading;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Locked instructions against the host, and against another host thread.</summary>
public sealed unsafe class SoftVcpuLockedTests
{
    [Test]
    public void LockedFormsDoWhatTheHostDoes()
    {
        var random = new SeededGenerator(22);
        using var difference = new HostDifference(random);
        var generator = new InstructionGenerator(random, Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb,
            Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.Not,
            Mnemonic.Bts, Mnemonic.Btr, Mnemonic.Btc, Mnemonic.Xadd, Mnemonic.Cmpxchg, Mnemonic.Cmpxchg8b);
        int checkedCount = 0;
        for (int i = 0; i < 1500; i++)
        {
            Instruction instruction = generator.Next();
            if (instruction.Op0Kind != OpKind.Memory) continue;
            instruction.HasLockPrefix = true;
            difference.Check([instruction], RandomCode.Positions(RandomCode.UndefinedBy(instruction)));
            checkedCount++;
        }
        Assert.That(checkedCount, Is.GreaterThan(400));
    }

    [Test]
    public void ComparingAndExchangingSixteenBytesWorksBothWays()
    {
        var random = new SeededGenerator(23);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 50; i++)
        {
            bool matches = i % 2 == 0;
            difference.Check(a =>
            {
                if (matches)
                {
                    a.mov(AssemblerRegisters.rax, AssemblerRegisters.__qword_ptr[AssemblerRegisters.rsi]);
                    a.mov(AssemblerRegisters.rdx, AssemblerRegisters.__qword_ptr[AssemblerRegisters.rsi + 8]);
                }
                a.@lock.cmpxchg16b(AssemblerRegisters.__[AssemblerRegisters.rsi]);
            });
        }
    }

    [Test]
    public void AnotherThreadsAdditionsAreNotLost()
    {
        const int Count = 20_000;
        using VcpuFixture fixture = new VcpuFixture().Long();
        ref uint cell = ref *(uint*)(fixture.Memory.Base + VcpuFixture.Data);
        uint* pointer = (uint*)(fixture.Memory.Base + VcpuFixture.Data);
        var other = new Thread(() =>
        {
            for (int i = 0; i < Count; i++) Interlocked.Increment(ref *pointer);
        });
        other.Start();
        fixture.Run64(a =>
        {
            Label top = a.CreateLabel();
            a.mov(AssemblerRegisters.ecx, Count);
            a.Label(ref top);
            a.@lock.add(AssemblerRegisters.__dword_ptr[VcpuFixture.Data], 1);
            a.dec(AssemblerRegisters.ecx);
            a.jnz(top);
        });
        other.Join();
        Assert.That(cell, Is.EqualTo(2 * Count));
    }

    [Test]
    public void ALockedOperationOnADeviceReadsAndWritesIt()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Memory.SetDevice(0x10_0000);
        fixture.Bus.MmioAnswer = 0x40;
        fixture.Run64(a => a.@lock.or(AssemblerRegisters.__dword_ptr[0x10_0008], 3));
        Assert.That((fixture.Bus.MmioReads, fixture.Bus.MmioWrites), Is.EqualTo((1, 1)));
        Assert.That((fixture.Bus.LastMmioGpa, fixture.Bus.LastMmioValue), Is.EqualTo((0x10_0008UL, 0x43UL)));
        Assert.That(fixture.State->MmioAccesses, Is.EqualTo(2));
    }

    [Test]
    public void ExchangingAcrossTwoPagesWritesBothParts()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Write(0x10_0FFE, 0x1122_3344, 4);
        fixture.Run64(a =>
        {
            a.mov(AssemblerRegisters.eax, 0x5566_7788);
            a.xchg(AssemblerRegisters.__dword_ptr[0x10_0FFE], AssemblerRegisters.eax);
        });
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x1122_3344));
        Assert.That(fixture.Read(0x10_0FFE, 4), Is.EqualTo(0x5566_7788));
    }

    [TestCase("lock add")]
    [TestCase("lock xadd")]
    [TestCase("lock cmpxchg")]
    [TestCase("lock cmpxchg8b")]
    [TestCase("add")]
    [TestCase("bts")]
    [TestCase("xadd")]
    [TestCase("cmpxchg")]
    public void AnOperandThatIsRefusedBehindTheAccessToADeviceChangesNoRegister(string how)
    {
        // Half of it lies in memory, which may not be written any more when the other half was read.
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.HandleByStoring(14, 64);
        fixture.Memory.SetDevice(0x10_1000);
        fixture.Bus.OnMmio = () =>
        {
            fixture.Memory.SetRights(0x10_0000, Prot.Read);
            fixture.Memory.Shootdown();
        };
        AssemblerMemoryOperand four = AssemblerRegisters.__dword_ptr[0x10_0FFE];
        fixture.Run64(a =>
        {
            a.mov(AssemblerRegisters.eax, 0x11);
            a.mov(AssemblerRegisters.edx, 0x22);
            a.xor(AssemblerRegisters.esi, AssemblerRegisters.esi);
            a.stc();
            switch (how)
            {
                case "lock add":
                    a.@lock.add(four, AssemblerRegisters.edx);
                    break;
                case "lock xadd":
                    a.@lock.xadd(four, AssemblerRegisters.edx);
                    break;
                case "lock cmpxchg":
                    a.@lock.cmpxchg(four, AssemblerRegisters.edx);
                    break;
                case "lock cmpxchg8b":
                    a.@lock.cmpxchg8b(AssemblerRegisters.__qword_ptr[0x10_0FFE]);
                    break;
                case "add":
                    a.add(four, AssemblerRegisters.edx);
                    break;
                case "bts":
                    a.bts(four, 1);
                    break;
                case "xadd":
                    a.xadd(four, AssemblerRegisters.edx);
                    break;
                default:
                    a.cmpxchg(four, AssemblerRegisters.edx);
                    break;
            }
        });
        VcpuState* state = fixture.State;
        Assert.That(state->Gpr[15], Is.EqualTo(0x100E), "a page fault");
        Assert.That((state->Gpr[0], state->Gpr[2], state->Gpr[6]), Is.EqualTo((0x11UL, 0x22UL, 0UL)));
        Assert.That(fixture.Read(state->Gpr[4] + 24) & 0x8D5, Is.EqualTo(0x45), "carry, parity, zero");
        Assert.That(fixture.Bus.MmioWrites, Is.Zero);
    }
}
