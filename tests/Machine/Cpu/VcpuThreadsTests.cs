using System;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>vCPUs on host threads of their own: atomic instructions, and code that others write.</summary>
public sealed unsafe class VcpuThreadsTests
{
    private const ulong Line = SharedMachine.Data + 0x1000;
    private const int Simple = 300_000;
    private const int Stopping = 10_000;    // each of these stops the others
    private const int Beside = 3_000;

    [TestCase(1, 0u)]
    [TestCase(2, 0u)]
    [TestCase(4, 0u)]
    [TestCase(8, 0u)]
    [TestCase(8, 13u)]          // unaligned, in one line
    [TestCase(4, 61u)]          // in two lines
    [TestCase(8, 0xFFDu)]       // on two pages
    public void LockedAdditionsAreNotLost(int bytes, uint offset)
    {
        bool stops = (offset & 63) + (uint)bytes > 64;
        Check(stops ? Stopping : Simple, a => a.@lock.add(Operand(bytes, Line + offset), 1), machine =>
            Low(machine.Read(Line + offset), bytes), bytes);
    }

    [TestCase(4, 0u)]
    [TestCase(8, 0x3Du)]
    public void AdditionsThatGiveTheOldValueGiveEachValueOnce(int bytes, uint offset)
    {
        // The sum of what each vCPU got is that of the numbers from 0.
        int rounds = offset == 0 ? Simple : Stopping;
        using var machine = new SharedMachine(2);
        for (int cpu = 0; cpu < 2; cpu++)
        {
            machine.Load(cpu, a => Loop(machine, a, rounds, () =>
            {
                a.mov(eax, 1);
                if (bytes == 4) a.@lock.xadd(__dword_ptr[Line + offset], eax);
                else a.@lock.xadd(__qword_ptr[Line + offset], rax);
                a.add(rbx, rax);
            }));
        }
        machine.RunAll();
        ulong total = 2 * (ulong)rounds;
        Assert.That(machine.Read(Line + offset), Is.EqualTo(total));
        Assert.That(machine.Cpus[0].State->Gpr[3] + machine.Cpus[1].State->Gpr[3], Is.EqualTo(total * (total - 1) / 2));
    }

    [TestCase(0u)]
    [TestCase(0x3Cu)]
    public void ComparingAndExchangingEightBytesIsOneStep(uint offset)
    {
        Check(offset == 0 ? Simple : Stopping, a =>
        {
            Label again = a.CreateLabel();
            a.mov(eax, __dword_ptr[Line + offset]);
            a.mov(edx, __dword_ptr[Line + offset + 4]);
            a.Label(ref again);
            a.mov(ebx, eax);
            a.mov(ecx, edx);
            a.add(ebx, 1);
            a.adc(ecx, 0);
            a.@lock.cmpxchg8b(__qword_ptr[Line + offset]);
            a.jnz(again);
        }, machine => machine.Read(Line + offset), 8);
    }

    [Test]
    public void ComparingAndExchangingSixteenBytesIsOneStep()
    {
        // Both halves count; plain stores of another kind never interfere with a half.
        Check(Stopping, a =>
        {
            Label again = a.CreateLabel();
            a.mov(rax, __qword_ptr[Line]);
            a.mov(rdx, __qword_ptr[Line + 8]);
            a.Label(ref again);
            a.lea(rbx, __[rax + 1]);
            a.lea(rcx, __[rdx + 2]);
            a.@lock.cmpxchg16b(__xmmword_ptr[Line]);
            a.jnz(again);
        }, machine =>
        {
            Assert.That(machine.Read(Line + 8), Is.EqualTo(2 * machine.Read(Line)));
            return machine.Read(Line);
        }, 8);
    }

    [Test]
    public void LockedAndSixteenByteOperationsOnOneWordDoNotLoseEachOther()
    {
        using var machine = new SharedMachine(2);
        machine.Load(0, a => Loop(machine, a, Stopping, () =>
        {
            Label again = a.CreateLabel();
            a.mov(rax, __qword_ptr[Line]);
            a.mov(rdx, __qword_ptr[Line + 8]);
            a.Label(ref again);
            a.lea(rbx, __[rax + 1]);
            a.mov(rcx, rdx);
            a.@lock.cmpxchg16b(__xmmword_ptr[Line]);
            a.jnz(again);
        }));
        machine.Load(1, a => Loop(machine, a, Simple, () => a.@lock.inc(__qword_ptr[Line + 8])));
        machine.RunAll();
        Assert.That((machine.Read(Line), machine.Read(Line + 8)), Is.EqualTo(((ulong)Stopping, (ulong)Simple)));
    }

    [TestCase(0u)]
    [TestCase(0x3Eu)]
    public void ALockOfOneExchangeProtectsPlainMemory(uint offset)
    {
        Check(offset == 0 ? 50_000 : Stopping, a =>
        {
            Label again = a.CreateLabel();
            Label taken = a.CreateLabel();
            a.nop();
            a.Label(ref again);
            a.mov(eax, 1);
            a.xchg(__dword_ptr[Line + offset], eax);
            a.test(eax, eax);
            a.jz(taken);
            a.pause();
            a.jmp(again);
            a.Label(ref taken);
            a.inc(__qword_ptr[Line + 0x100]);
            a.mov(__dword_ptr[Line + offset], 0);
        }, machine => machine.Read(Line + 0x100), 8);
    }

    [Test]
    public void LockedOperationsBesideCodeAreOneStepAndSeen()
    {
        // The counter shares its frame, then its line, with code that another vCPU executes all the time.
        const ulong Function = SharedMachine.Data + 0x3000;
        foreach (uint offset in new[] { 0x800u, 0x20u })
        {
            using var machine = new SharedMachine(3);
            machine.LoadAt(Function, a =>
            {
                a.inc(rbx);
                a.ret();
            });
            for (int cpu = 0; cpu < 2; cpu++)
            {
                machine.Load(cpu, a => Loop(machine, a, Beside, () => a.@lock.add(__qword_ptr[Function + offset], 1)));
            }
            machine.Load(2, a => Loop(machine, a, Beside, () =>
            {
                a.mov(eax, (uint)Function);
                a.call(rax);
            }));
            machine.RunAll();
            Assert.That(machine.Read(Function + offset), Is.EqualTo(2 * Beside));
            Assert.That(machine.Cpus[2].State->Gpr[3], Is.EqualTo(Beside));
        }
    }

    [Test]
    public void CodeThatAnotherProcessorWritesIsExecutedAsItIs()
    {
        const int Rounds = 50;
        const ulong Function = SharedMachine.Data + 0x3000;
        using var machine = new SharedMachine(2);
        // mov eax, 0 with its constant at a multiple of four; ret.
        machine.LoadAt(Function, a => a.db(0x0F, 0x1F, 0x00, 0xB8, 0, 0, 0, 0, 0xC3));
        machine.Load(0, a =>
        {
            Label again = a.CreateLabel();
            machine.Meet(a);
            a.mov(ecx, (uint)Function);
            a.Label(ref again);
            a.call(rcx);
            a.mov(__dword_ptr[Line], eax);
            a.cmp(eax, Rounds);
            a.jne(again);
        });
        machine.Load(1, a =>
        {
            Label next = a.CreateLabel();
            Label wait = a.CreateLabel();
            // The right to store to the page is older than its first decoding.
            a.mov(__dword_ptr[Function + 0x100], eax);
            machine.Meet(a);
            a.mov(ecx, 1);
            a.Label(ref next);
            a.mov(__dword_ptr[Function + 4], ecx);
            a.Label(ref wait);
            a.pause();
            a.cmp(__dword_ptr[Line], ecx);
            a.jne(wait);
            a.inc(ecx);
            a.cmp(ecx, Rounds + 1);
            a.jne(next);
        });
        machine.RunAll();
        Assert.That(machine.Read(Line), Is.EqualTo((ulong)Rounds));
    }

    [Test]
    public void CodeBesideALockThatOthersSpinOnGetsOn()
    {
        // The holder's code lies in the line of the lock, which the other exchanges without a pause.
        const ulong Release = SharedMachine.Data + 0x3000;
        const ulong Lock = Release + 0x38;
        using var machine = new SharedMachine(2);
        machine.LoadAt(Release, a =>
        {
            a.inc(rbx);
            a.mov(__dword_ptr[Lock], 0);
            a.ret();
        });
        machine.Write(Lock, 1);
        for (int cpu = 0; cpu < 2; cpu++)
        {
            bool holds = cpu == 0;
            machine.Load(cpu, a =>
            {
                Label again = a.CreateLabel();
                machine.Meet(a);
                a.mov(ecx, (uint)Release);
                if (holds) a.call(rcx);
                a.Label(ref again);
                a.mov(eax, 1);
                a.xchg(__dword_ptr[Lock], eax);
                a.test(eax, eax);
                a.jnz(again);
                a.call(rcx);
            });
        }
        machine.RunAll();
        Assert.That(machine.Cpus[0].State->Gpr[3], Is.EqualTo(2));
        Assert.That(machine.Cpus[1].State->Gpr[3], Is.EqualTo(1));
    }

    [Test]
    public void AReusedFrameShowsItsNewCode()
    {
        const ulong Page = SharedMachine.Data + 0x5000;
        using var machine = new SharedMachine(2);
        for (int round = 1; round <= 20; round++)
        {
            int value = round;
            machine.LoadAt(Page, a =>
            {
                a.mov(eax, value);
                a.ret();
            });
            for (int cpu = 0; cpu < 2; cpu++)
            {
                machine.Load(cpu, a =>
                {
                    a.mov(ecx, (uint)Page);
                    a.call(rcx);
                });
                machine.Cpus[cpu].State->Rip = SharedMachine.Code + (ulong)cpu * SharedMachine.CodeStride;
                machine.Cpus[cpu].State->Activity = VcpuActivity.Running;
            }
            machine.RunAll();
            for (int cpu = 0; cpu < 2; cpu++)
            {
                Assert.That(machine.Cpus[cpu].State->Gpr[0], Is.EqualTo((ulong)value));
            }
            machine.Guest.Unmap(new Gpa(Page), Paging.PageBytes);
            machine.Guest.MapMemory(new Gpa(Page), Paging.PageBytes);
        }
    }

    [Test]
    public void AStoreIsNeverSeenInParts()
    {
        using var machine = new SharedMachine(2);
        machine.Load(0, a => Loop(machine, a, Simple, () =>
        {
            a.mov(rax, rsi);
            a.not(rsi);
            a.mov(__qword_ptr[Line], rax);
            a.mov(edi, (uint)Line);
            a.stosq();
        }));
        machine.Load(1, a => Loop(machine, a, Simple, () =>
        {
            Label whole = a.CreateLabel();
            a.mov(rax, __qword_ptr[Line]);
            a.lea(rdx, __[rax + 1]);
            a.cmp(rdx, 1);
            a.jbe(whole);
            a.inc(rbx);
            a.Label(ref whole);
        }));
        machine.RunAll();
        Assert.That(machine.Cpus[1].State->Gpr[3], Is.Zero);
    }

    [Test]
    public void WaitsOfEveryKindEnd()
    {
        // The section, shootdowns that wait for everybody, faults, and code that changes, all at the same time.
        const int Rounds = 3_000;
        const ulong Coming = SharedMachine.Data + 0x8000;
        const ulong Function = SharedMachine.Data + 0x3000;
        using var machine = new SharedMachine(3);
        machine.LoadAt(Function, a => a.db(0x0F, 0x1F, 0x00, 0xB8, 0, 0, 0, 0, 0xC3));
        for (int cpu = 0; cpu < 3; cpu++)
        {
            int number = cpu;
            machine.Load(cpu, a => Loop(machine, a, Rounds, () =>
            {
                a.@lock.add(__qword_ptr[Line + 0x3D], 1);
                a.mov(__dword_ptr[Coming + (uint)number * 0x1000], ebp);
                a.@lock.xadd(__qword_ptr[Coming + 0xFFC], rax);
                if (number == 0) a.mov(__dword_ptr[Function + 4], ebp);
                a.mov(ecx, (uint)Function);
                a.call(rcx);
            }));
        }
        bool isOver = false;
        var host = new System.Threading.Thread(() =>
        {
            while (!System.Threading.Volatile.Read(ref isOver))
            {
                machine.Guest.Unmap(new Gpa(Coming), 3 * Paging.PageBytes);
                machine.Guest.MapMemory(new Gpa(Coming), 3 * Paging.PageBytes);
            }
        });
        host.Start();
        try
        {
            machine.RunAll();
        }
        finally
        {
            System.Threading.Volatile.Write(ref isOver, true);
            host.Join();
        }
        Assert.That(machine.Read(Line + 0x3D), Is.EqualTo(3 * (ulong)Rounds));
    }

    /// <summary>Two vCPUs do the same so many times; each time counts.</summary>
    private static void Check(int rounds, Action<Assembler> write, Func<SharedMachine, ulong> count, int bytes)
    {
        using var machine = new SharedMachine(2);
        for (int cpu = 0; cpu < 2; cpu++) machine.Load(cpu, a => Loop(machine, a, rounds, () => write(a)));
        machine.RunAll();
        Assert.That(count(machine), Is.EqualTo(Low(2 * (ulong)rounds, bytes)));
    }

    private static void Loop(SharedMachine machine, Assembler a, int rounds, Action body)
    {
        machine.Meet(a);
        Label top = a.CreateLabel();
        a.mov(ebp, rounds);
        a.Label(ref top);
        body();
        a.dec(ebp);
        a.jnz(top);
    }

    private static ulong Low(ulong value, int bytes) => bytes == 8 ? value : value & ((1UL << (8 * bytes)) - 1);

    private static AssemblerMemoryOperand Operand(int bytes, ulong address) => bytes switch
    {
        1 => __byte_ptr[address],
        2 => __word_ptr[address],
        4 => __dword_ptr[address],
        _ => __qword_ptr[address],
    };
}
