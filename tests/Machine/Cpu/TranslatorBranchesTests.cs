using Iced.Intel;
using NUnit.Framework;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Branches, calls, returns and loops against the host's processor.</summary>
public sealed unsafe class TranslatorBranchesTests
{
    [Test]
    public void EveryConditionAfterEveryComparisonAgreesWithTheHost()
    {
        var random = new SeededGenerator(41);
        using var difference = new HostDifference(random);
        var generator = new InstructionGenerator(random, Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Add, Mnemonic.Sub,
            Mnemonic.Inc, Mnemonic.Dec, Mnemonic.Neg, Mnemonic.And);
        Code[] jumps =
        [
            Code.Jo_rel8_64, Code.Jno_rel8_64, Code.Jb_rel8_64, Code.Jae_rel8_64, Code.Je_rel8_64, Code.Jne_rel8_64,
            Code.Jbe_rel8_64, Code.Ja_rel8_64, Code.Js_rel8_64, Code.Jns_rel8_64, Code.Jp_rel8_64, Code.Jnp_rel8_64,
            Code.Jl_rel8_64, Code.Jge_rel8_64, Code.Jle_rel8_64, Code.Jg_rel8_64,
        ];
        for (int i = 0; i < 2000; i++)
        {
            Instruction first = generator.Next();
            if (random.OneIn(3) && first.Op0Kind == OpKind.Register && first.Op1Kind == OpKind.Register)
            {
                first.Op1Register = first.Op0Register;
            }
            var jump = new Instruction { Code = jumps[random.Below(jumps.Length)], Op0Kind = OpKind.NearBranch64 };
            jump.NearBranch64 = 0x101;
            var skipped = Instruction.Create(Code.Mov_r32_imm32, Register.R15D, 0x5A5A);
            var landed = Instruction.Create(Code.Nopd);
            landed.IP = 0x101;
            ulong undefined = RandomCode.Positions(RandomCode.UndefinedBy(first));
            if ((jump.RflagsRead & RandomCode.UndefinedBy(first)) != 0) continue;
            difference.Check([first, jump, skipped, landed], undefined);
        }
    }

    [Test]
    public void LoopsCountAsTheHostCounts()
    {
        var random = new SeededGenerator(42);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 60; i++)
        {
            int kind = i % 6;
            difference.Prepare = registers => registers.Values[1] = 1 + random.Below(40UL);
            difference.Check(a =>
            {
                Label top = a.CreateLabel();
                Label end = a.CreateLabel();
                a.Label(ref top);
                a.add(rax, rdx);
                a.imul(rdx, rdx, 3);
                a.cmp(eax, edx);
                switch (kind)
                {
                    case 0:
                        a.loop(top);
                        break;
                    case 1:
                        a.loopne(top);
                        break;
                    case 2:
                        a.loope(top);
                        break;
                    case 3:
                        a.dec(rcx);
                        a.jnz(top);
                        break;
                    case 4:
                        a.jrcxz(end);
                        a.sub(ecx, 1);
                        a.jmp(top);
                        break;
                    default:
                        a.sub(ecx, 1);
                        a.jrcxz(end);
                        a.jmp(top);
                        break;
                }
                a.Label(ref end);
                a.mov(r8, rcx);
            });
        }
    }

    [Test]
    public void CallsReturnsAndIndirectJumpsAgreeWithTheHost()
    {
        var random = new SeededGenerator(43);
        using var difference = new HostDifference(random);
        for (int i = 0; i < 20; i++)
        {
            difference.Prepare = registers => registers.Values[1] = 5 + random.Below(20UL);
            difference.Check(a =>
            {
                Label top = a.CreateLabel();
                Label function = a.CreateLabel();
                Label table = a.CreateLabel();
                Label done = a.CreateLabel();
                Label target = a.CreateLabel();
                a.lea(r15, __[table]);
                a.lea(rax, __[target]);
                a.mov(__qword_ptr[rsi], rax);
                a.Label(ref top);
                a.call(function);
                a.push(rax);
                a.call(r15);
                a.pop(rdx);
                a.push(__qword_ptr[rsi + 8]);
                a.pop(__qword_ptr[rsi + 16]);
                a.jmp(__qword_ptr[rsi]);
                a.Label(ref table);
                a.xor(rax, rdx);
                a.ret(0);
                a.Label(ref function);
                a.push(rbp);
                a.mov(rbp, rsp);
                a.sub(rsp, 32);
                a.mov(__qword_ptr[rbp - 8], rax);
                a.rol(__qword_ptr[rbp - 8], 7);
                a.mov(rax, __qword_ptr[rbp - 8]);
                a.leave();
                a.ret();
                a.Label(ref target);
                a.sub(rcx, 1);
                a.jnz(top);
                a.jmp(done);
                a.int3();
                a.Label(ref done);
                a.enter(24, 0);
                a.leave();
                a.mov(rax, 0);
                a.nop();
            });
            difference.Prepare = null;
        }
    }

    [Test]
    public void ThirtyTwoBitCallsAndReturnsUseFourBytes()
    {
        using VcpuFixture fixture = new VcpuFixture().Protected();
        const ulong Function = VcpuFixture.Code + 0x100;
        fixture.Load(Function, 32, a =>
        {
            a.mov(eax, __dword_ptr[esp + 4]);
            a.ret(4);
        });
        fixture.Run32(a =>
        {
            a.push(0x1234);
            a.call(Function);
            a.mov(edx, esp);
            a.push(0x5678);
            a.mov(ebx, (uint)Function);
            a.mov(ecx, eax);
            a.call(ebx);
            a.pushad();
            a.popad();
        });
        Assert.That(fixture.State->Gpr[1], Is.EqualTo(0x1234));
        Assert.That(fixture.State->Gpr[0], Is.EqualTo(0x5678));
        Assert.That(fixture.State->Gpr[2], Is.EqualTo(VcpuFixture.StackTop));
        Assert.That(fixture.State->Gpr[4], Is.EqualTo(VcpuFixture.StackTop));
    }
}
