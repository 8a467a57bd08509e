using System;
using System.Reflection;
using System.Reflection.Emit;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;
using OpCode = Pagoda.Machine.Cpu.OpCode;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>The hot switch: small enough to be compiled with optimisation, and no allocation while it runs.</summary>
public sealed unsafe class SoftVcpuExecuteTests
{
    // RyuJIT turns optimisation off, without a word, at 60,000 bytes of IL, 2,000 basic blocks or 2,000 locals; and
    // keeps at most 1,024 locals in registers. These limits leave room for what inlining adds.
    private const int IlBytesMax = 25_000;
    private const int LocalsMax = 64;
    private const int CasesMax = 400;
    private const int BranchesMax = 900;

    private static MethodInfo Hot { get; } =
        typeof(SoftVcpu).GetMethod("Execute", BindingFlags.NonPublic | BindingFlags.Static)!;

    [Test]
    public void TheSwitchStaysBelowTheCompilersLimits()
    {
        MethodBody body = Hot.GetMethodBody()!;
        int il = body.GetILAsByteArray()!.Length;
        Assert.That(il, Is.LessThan(IlBytesMax));
        Assert.That(body.LocalVariables, Has.Count.LessThan(LocalsMax));
        Assert.That((int)OpCode.Count, Is.LessThan(CasesMax));
        Assert.That(body.ExceptionHandlingClauses, Is.Empty);
        int branches = 0;
        foreach (Gates.IlInstruction instruction in Gates.IlReader.Read(Hot))
        {
            if (instruction.Code.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch) branches++;
        }
        Assert.That(branches, Is.LessThan(BranchesMax));
    }

    [Test]
    public void TheMethodIsCompiledWithFullOptimisationAtOnce()
    {
        MethodImplAttributes flags = Hot.GetMethodImplementationFlags();
        Assert.That(flags & MethodImplAttributes.AggressiveOptimization, Is.Not.Zero);
        // In no configuration may the assembly ask the JIT for debuggable code.
        var debuggable = typeof(SoftVcpu).Assembly.GetCustomAttribute<System.Diagnostics.DebuggableAttribute>();
        Assert.That(debuggable?.IsJITOptimizerDisabled ?? false, Is.False);
    }

    [Test]
    public void RunningAllocatesNothing()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Memory.SetDevice(0x10_0000);
        fixture.HandleByStoring(14, 64);
        const ulong Loop = 0x6_0000;
        fixture.Load(Loop, 64, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            Iced.Intel.Label function = a.CreateLabel();
            a.Label(ref top);
            a.call(function);
            a.mov(edi, 0x20_0000);
            a.mov(ecx, 3000);
            a.rep.stosb();
            a.mov(eax, __dword_ptr[0x10_0000]);
            a.@in(al, 0x61);
            a.@lock.add(__dword_ptr[0x20_0000], 1);
            a.div(ebx);
            a.fld1();
            a.fstp(__qword_ptr[0x20_0008]);
            a.mov(__byte_ptr[Loop + 0x800], 0x90);
            a.rdtsc();
            a.cpuid();
            a.invlpg(__[0x20_0000]);
            a.inc(__byte_ptr[Loop + 0x101]);
            a.jmp(top);
            a.Label(ref function);
            a.mov(ebx, (int)Loop + 0x100);
            a.mov(edx, 0);
            a.mov(eax, 0x7777);
            a.call(rbx);
            a.ret();
        });
        // mov al, imm8 (which the loop above rewrites); ret
        fixture.LoadBytes(Loop + 0x100, 0xB0, 0x11, 0xC3);
        fixture.State->Rip = Loop;
        Assert.That(fixture.Cpu.Run(30_000), Is.EqualTo(VcpuExit.BudgetExhausted));
        long before = GC.GetAllocatedBytesForCurrentThread();
        VcpuExit exit = fixture.Cpu.Run(30_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(exit, Is.EqualTo(VcpuExit.BudgetExhausted), () => fixture.Cpu.DescribeUnsupported());
        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void TheBudgetIsKeptToTheBlock()
    {
        using VcpuFixture fixture = new VcpuFixture().Long();
        fixture.Load(VcpuFixture.Code, 64, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.Label(ref top);
            for (int i = 0; i < 20; i++) a.inc(rax);
            a.jmp(top);
        });
        fixture.State->Rip = VcpuFixture.Code;
        ulong before = fixture.Cpu.Instructions;
        Assert.That(fixture.Cpu.Run(1000), Is.EqualTo(VcpuExit.BudgetExhausted));
        ulong executed = fixture.Cpu.Instructions - before;
        Assert.That(executed, Is.InRange(1000UL, 1021UL));
        // It goes on where it stopped.
        Assert.That(fixture.Cpu.Run(1), Is.EqualTo(VcpuExit.BudgetExhausted));
        Assert.That(fixture.State->Gpr[0] % 20, Is.Zero);
        Assert.That(fixture.Cpu.Instructions - before, Is.EqualTo(fixture.State->Gpr[0] / 20 * 21));
    }

    [Test]
    public void TwoRunsAreTheSameToTheInstruction()
    {
        ulong[] ends = new ulong[2];
        for (int i = 0; i < 2; i++)
        {
            using VcpuFixture fixture = new VcpuFixture().Long();
            fixture.Run64(a =>
            {
                Iced.Intel.Label top = a.CreateLabel();
                a.mov(ecx, 12345);
                a.Label(ref top);
                a.pause();
                a.rdtsc();
                a.add(ebx, eax);
                a.dec(ecx);
                a.jnz(top);
            });
            ends[i] = fixture.State->Gpr[3] ^ fixture.Cpu.TimeNanoseconds ^ fixture.Cpu.Instructions;
        }
        Assert.That(ends[1], Is.EqualTo(ends[0]));
    }
}
