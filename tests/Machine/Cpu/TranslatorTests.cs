using System;
using System.IO;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>What blocks look like: length, links, fusion, quiet flags.</summary>
public sealed unsafe class TranslatorTests
{
    private readonly Translator _translator = new();

    [Test]
    public void AComparisonAndItsBranchAreOneMicroOp()
    {
        OpCode[] codes = Translate(a =>
        {
            a.cmp(eax, ecx);
            a.jb(0x10);
            a.cmp(rax, 5);
            a.jne(0x10);
            a.test(edx, edx);
            a.js(0x10);
            a.test(bl, 4);
            a.jz(0x10);
        });
        Assert.That(codes[..4], Is.EqualTo(new[]
        {
            OpCode.CmpRR32JumpB, OpCode.CmpRI64JumpNe, OpCode.CmpRI32JumpL, OpCode.TestRI8JumpE,
        }));
    }

    [Test]
    public void FlagsThatNobodySeesAreNotMade()
    {
        OpCode[] codes = Translate(a =>
        {
            a.add(rax, 8);
            a.add(ebx, 1);
            a.mov(rsi, rdx);
            a.shl(rsi, 13);
            a.xor(rdx, rsi);
            a.lea(rcx, __[rax - 8]);
            a.cmp(rcx, rbp);
            a.jb(0x10);
        });
        Assert.That(codes[..6], Is.EqualTo(new[]
        {
            OpCode.Lea64, OpCode.Lea32, OpCode.ShlQuiet64, OpCode.XorQuiet64, OpCode.Lea64, OpCode.CmpRR64JumpB,
        }));
    }

    [Test]
    public void FlagsBeforeAnAccessThatMayFaultAreMade()
    {
        OpCode[] codes = Translate(a =>
        {
            a.add(rax, 8);
            a.mov(__qword_ptr[rdi], rax);
            a.xor(ecx, ecx);
        });
        Assert.That(codes[0], Is.EqualTo(OpCode.AddRI64));
    }

    [Test]
    public void ABranchTestsWhatIsKnownOfTheFlags()
    {
        OpCode[] codes = Translate(a =>
        {
            a.sub(rax, rcx);
            a.jg(0x10);
            a.dec(edx);
            a.jnz(0x10);
            a.add(eax, ebx);
            a.jc(0x10);
            a.adc(eax, eax);
            a.jc(0x10);
        });
        Assert.That(codes[1], Is.EqualTo(OpCode.JumpSubG));
        Assert.That(codes[3], Is.EqualTo(OpCode.JumpResultNe));
        Assert.That(codes[5], Is.EqualTo(OpCode.JumpSubB));
        Assert.That(codes[7], Is.EqualTo(OpCode.JumpAny));
    }

    [Test]
    public void JumpsInsideThePageAreFollowed()
    {
        OpCode[] codes = Translate(a =>
        {
            Label end = a.CreateLabel();
            a.inc(rax);
            a.jmp(end);
            a.int3();
            a.Label(ref end);
            a.hlt();
        });
        Assert.That(codes, Is.EqualTo(new[] { OpCode.Inc64, OpCode.GroupControl }));
    }

    [Test]
    public void ABlockEndsAtItsLengthWithAJump()
    {
        OpCode[] codes = Translate(a =>
        {
            for (int i = 0; i < 100; i++) a.inc(rax);
        });
        Assert.That(codes, Has.Length.EqualTo(Translator.InstructionsMax + 1));
        Assert.That(codes[^1], Is.EqualTo(OpCode.Jump));
    }

    [Test]
    public void RandomBytesNeverOverrunABlock()
    {
        var random = new SeededGenerator(131);
        byte* page = stackalloc byte[4096];
        byte* memory = stackalloc byte[Block.HeaderBytes + Translator.OpsMax * MicroOp.SizeBytes + 1024];
        for (int i = 0; i < 3000; i++)
        {
            random.Fill(new Span<byte>(page, 4096));
            uint mode = (uint)random.Below(3) | (random.OneIn(4) ? ModeKeys.Segmented : 0);
            if ((mode & ModeKeys.SizeMask) == ModeKeys.Size64) mode = ModeKeys.Size64;
            int offset = random.Below(4096);
            int count = _translator.Decode(page, 4096, offset, mode, Translator.InstructionsMax);
            if (count == 0)
            {
                Assert.That(_translator.NeedsNextPage, Is.True, random.ToString());
                continue;
            }
            var block = (Block*)memory;
            *block = default;
            block->ModeKey = mode;
            ushort* end = _translator.Emit(block);
            Assert.That(block->OpCount, Is.InRange(1U, (uint)Translator.OpsMax), random.ToString());
            Assert.That(end - block->Offsets, Is.EqualTo(block->Count + 1), random.ToString());
        }
    }

    [Test]
    public void TranslatingAllocatesNothing()
    {
        byte* page = stackalloc byte[4096];
        byte* memory = stackalloc byte[Block.HeaderBytes + Translator.OpsMax * MicroOp.SizeBytes + 1024];
        var random = new SeededGenerator(132);
        long allocated = 0;
        for (int i = 0; i < 500; i++)
        {
            random.Fill(new Span<byte>(page, 4096));
            long before = GC.GetAllocatedBytesForCurrentThread();
            if (_translator.Decode(page, 4096, 0, ModeKeys.Size64, Translator.InstructionsMax) != 0)
            {
                *(Block*)memory = default;
                _translator.Emit((Block*)memory);
            }
            if (i > 100) allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.That(allocated, Is.Zero);
    }

    private OpCode[] Translate(Action<Assembler> write)
    {
        var assembler = new Assembler(64);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), 0);
        byte* page = stackalloc byte[4096];
        new Span<byte>(page, 4096).Fill(0xF4);
        stream.ToArray().CopyTo(new Span<byte>(page, 4096));
        byte* memory = stackalloc byte[Block.HeaderBytes + Translator.OpsMax * MicroOp.SizeBytes + 1024];
        var block = (Block*)memory;
        *block = default;
        _translator.Decode(page, 4096, 0, ModeKeys.Size64, Translator.InstructionsMax);
        _translator.Emit(block);
        var codes = new OpCode[block->OpCount];
        for (int i = 0; i < codes.Length; i++) codes[i] = Block.Ops(block)[i].Code;
        return codes;
    }
}
