using System.Collections.Generic;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Sixteen-bit code: segments, far transfers, stacks, strings, the vector table.</summary>
public sealed unsafe class SoftVcpuRealModeTests
{
    private const ulong Segment = 0x2_0000;     // DS, ES and SS are moved there where a test says so

    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture().Real();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void SegmentsAddSixteenTimesTheirSelector()
    {
        Run(a =>
        {
            a.mov(ax, 0x2001);
            a.mov(ds, eax);
            a.mov(es, eax);
            a.mov(bx, 0x1234);
            a.mov(si, 0x10);
            a.mov(__word_ptr[bx + si + 4], bx);
            a.mov(dx, __word_ptr[0x1248]);
            a.mov(ecx, 0x8765_4321);
            a.mov(__dword_ptr[0x20], ecx);
        });
        Assert.That(_fixture.Read(0x2_0010 + 0x1248, 2), Is.EqualTo(0x1234));
        Assert.That(_fixture.Read(0x2_0010 + 0x20, 4), Is.EqualTo(0x8765_4321));
        Assert.That((ushort)State->Gpr[2], Is.EqualTo(0x1234));
    }

    [Test]
    public void ThirtyTwoBitAddressesAndOperandsWorkWithPrefixes()
    {
        Run(a =>
        {
            a.mov(eax, 0x10_0000);
            a.mov(ebx, 0x1234_5678);
            a.mov(edi, 0x4000);
            a.mov(__dword_ptr[edi + 8], ebx);
            a.add(ebx, eax);
            a.movzx(ecx, __word_ptr[edi + 10]);
            a.lea(edx, __[edi + eax * 2]);
            a.imul(esi, ebx, 3);
        });
        Assert.That(_fixture.Read(0x4008, 4), Is.EqualTo(0x1234_5678));
        Assert.That(State->Gpr[1], Is.EqualTo(0x1234));
        Assert.That(State->Gpr[2], Is.EqualTo(0x20_4000));
        Assert.That(State->Gpr[6], Is.EqualTo((uint)(0x1244_5678 * 3L)));
    }

    [Test]
    public void AnAddressBeyondTheLimitIsAGeneralProtectionFault()
    {
        Handle(13);
        Run(a =>
        {
            a.mov(ebx, 0x1_0000);
            a.mov(al, __byte_ptr[ebx]);
        });
        Assert.That((ushort)State->Gpr[5], Is.EqualTo(0x100D));
        // No error code: IP, CS, FLAGS.
        ulong stack = (ushort)State->Gpr[4];
        Assert.That(_fixture.Read(stack, 2), Is.EqualTo(6));
        Assert.That(_fixture.Read(stack + 2, 2), Is.EqualTo(0x1000));
    }

    [Test]
    public void CallsJumpsAndLoopsStayInTheSegment()
    {
        Run(a =>
        {
            Iced.Intel.Label function = a.CreateLabel();
            Iced.Intel.Label end = a.CreateLabel();
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(cx, 5);
            a.Label(ref top);
            a.call(function);
            a.loop(top);
            a.cmp(bx, 5);
            a.je(end);
            a.mov(bx, 0x99);
            a.jmp(end);
            a.Label(ref function);
            a.inc(bx);
            a.ret();
            a.Label(ref end);
        });
        Assert.That((ushort)State->Gpr[3], Is.EqualTo(5));
        Assert.That((ushort)State->Gpr[4], Is.EqualTo(0x8000));
    }

    [Test]
    public void FarCallsAndReturnsChangeTheCodeSegment()
    {
        _fixture.Load(Segment + 0x30, 16, a =>
        {
            a.mov(ax, cs);
            a.mov(bx, sp);
            a.retf(4);
        });
        Run(a =>
        {
            a.push(1);
            a.push(2);
            a.call((ushort)0x2001, 0x20U);
            a.mov(dx, cs);
        });
        Assert.That((ushort)State->Gpr[0], Is.EqualTo(0x2001));
        Assert.That((ushort)State->Gpr[3], Is.EqualTo(0x8000 - 8));
        Assert.That((ushort)State->Gpr[2], Is.EqualTo(0x1000));
        Assert.That((ushort)State->Gpr[4], Is.EqualTo(0x8000));
    }

    [Test]
    public void AnInterruptGoesThroughTheVectorTableAndComesBack()
    {
        _fixture.Write(0x60 * 4, 0x2000_0040, 4);
        _fixture.Load(Segment + 0x40, 16, a =>
        {
            a.pushf();
            a.pop(dx);
            a.mov(bx, sp);
            a.iret();
        });
        Run(a =>
        {
            a.sti();
            a.stc();
            a.@int(0x60);
            a.setc(al);
        });
        Assert.That((ushort)State->Gpr[2] & 0x200, Is.Zero, "interrupts are off in the handler");
        Assert.That((ushort)State->Gpr[3], Is.EqualTo(0x8000 - 6));
        Assert.That(_fixture.Cpu.Rflags & 0x200, Is.EqualTo(0x200));
        Assert.That((byte)State->Gpr[0], Is.EqualTo(1));
        Assert.That(_fixture.Read(0x7FFE, 2) & 0x201, Is.EqualTo(0x201));
    }

    [Test]
    public void ATableThatIsTooShortShutsTheProcessorDown()
    {
        State->Idtr.Limit = 3;
        _fixture.Load(VcpuFixture.Code, 16, a => a.@int(0x60));
        Assert.That(_fixture.Run(0), Is.EqualTo(VcpuExit.TripleFault));
    }

    [Test]
    public void PushesAndPopsUseSixteenBitsOfTheStackPointer()
    {
        Run(a =>
        {
            a.mov(ax, 0x2000);
            a.mov(ss, eax);
            a.mov(esp, 0x1_0000);
            a.push(0x1234);
            a.db(0x66, 0x68, 0x44, 0x33, 0x22, 0x11);       // push 11223344h
            a.pusha();
            a.popa();
            a.mov(bp, sp);
            a.mov(ax, __word_ptr[bp + 4]);
            a.pop(ecx);
            a.pop(__word_ptr[0x300]);
            a.push(ds);
            a.pop(es);
            a.enter(8, 1);
            a.leave();
        });
        Assert.That((ushort)State->Gpr[0], Is.EqualTo(0x1234));
        Assert.That(State->Gpr[1], Is.EqualTo(0x1122_3344));
        Assert.That(_fixture.Read(Segment + 0xFFFE, 2), Is.EqualTo(0xFFFA), "the frame pointer that ENTER pushed");
        Assert.That(_fixture.Read(0x300, 2), Is.EqualTo(0x1234));
        Assert.That(State->Gpr[4], Is.EqualTo(0x1_0000), "the upper half stays");
    }

    [Test]
    public void StringsUseSixteenBitIndexes()
    {
        for (uint i = 0; i < 64; i++) _fixture.Write(0x3000 + i, i, 1);
        Run(a =>
        {
            a.mov(ax, 0x2000);
            a.mov(es, eax);
            a.mov(si, 0x3000);
            a.mov(di, 0xFFF0);
            a.mov(cx, 0x10);
            a.cld();
            a.rep.movsb();
            a.mov(di, 0xFFF0);
            a.mov(si, 0x3000);
            a.mov(cx, 0x20);
            a.repe.cmpsb();
            a.mov(dx, cx);
        });
        Assert.That(_fixture.Read(Segment + 0xFFF0), Is.EqualTo(0x0706_0504_0302_0100));
        // Behind the sixteen bytes the target wraps around to the segment's start, which differs.
        Assert.That((ushort)State->Gpr[7], Is.EqualTo(1));
        Assert.That((ushort)State->Gpr[2], Is.EqualTo(0xF));
    }

    [Test]
    public void TablesAreIndexedByAByte()
    {
        _fixture.Write(0x5_1234 + 0x99, 0x42, 1);
        Run(a =>
        {
            a.mov(ax, 0x5000);
            a.mov(fs, eax);
            a.mov(bx, 0x1234);
            a.mov(ax, 0x7799);
            a.db(0x64);
            a.xlatb();
        });
        Assert.That((ushort)State->Gpr[0], Is.EqualTo(0x7742));
    }

    [Test]
    public void EveryAddressingFormReachesItsByte()
    {
        const ushort Bx = 0x1234;
        const ushort Bp = 0x2222;
        const ushort Si = 0xF0F0;
        const ushort Di = 0x0808;
        ushort[] sums = [Bx + Si & 0xFFFF, Bx + Di, Bp + Si & 0xFFFF, Bp + Di, Si, Di, Bp, Bx];
        bool[] usesStack = [false, false, true, true, false, false, true, false];
        ulong[] bases = [0x2_0000, 0x4_0000, 0x6_0000];     // DS, SS, ES
        for (int i = 0; i < 3; i++) State->SegmentBase[new[] { 3, 2, 0 }[i]] = bases[i];
        _fixture.Cpu.ModeChanged();
        for (int form = 0; form < 24; form++)
        {
            int mode = form >> 3;
            int rm = form & 7;
            int displacement = mode == 0 ? 0 : mode == 1 ? -0x12 : 0x7654;
            bool isAbsolute = mode == 0 && rm == 6;
            int offset = isAbsolute ? 0x4321 : sums[rm] + displacement & 0xFFFF;
            for (int segment = 0; segment < 2; segment++)
            {
                ulong place = bases[segment == 1 ? 2 : usesStack[rm] && !isAbsolute ? 1 : 0] + (ulong)offset;
                _fixture.Write(place, 0, 1);
                Run(a =>
                {
                    a.mov(bx, unchecked((short)Bx));
                    a.mov(bp, unchecked((short)Bp));
                    a.mov(si, unchecked((short)Si));
                    a.mov(di, unchecked((short)Di));
                    a.mov(al, 0x5A);
                    if (segment == 1) a.db(0x26);
                    a.db(0x88, (byte)(mode << 6 | rm));         // mov [form], al
                    if (isAbsolute) a.dw(0x4321);
                    else if (mode == 1) a.db(unchecked((byte)displacement));
                    else if (mode == 2) a.dw((ushort)displacement);
                });
                Assert.That(_fixture.Read(place, 1), Is.EqualTo(0x5A), $"form {form}, segment {segment}");
            }
        }
    }

    [Test]
    public void RandomInstructionsDoTheSameInSixteenAndThirtyTwoBits()
    {
        var random = new SeededGenerator(41);
        var generator = new InstructionGenerator(random, Mnemonic.Add, Mnemonic.Or, Mnemonic.Adc, Mnemonic.Sbb,
            Mnemonic.And, Mnemonic.Sub, Mnemonic.Xor, Mnemonic.Cmp, Mnemonic.Test, Mnemonic.Inc, Mnemonic.Dec,
            Mnemonic.Neg, Mnemonic.Not, Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Xchg, Mnemonic.Xadd,
            Mnemonic.Shl, Mnemonic.Shr, Mnemonic.Sar, Mnemonic.Rol, Mnemonic.Ror, Mnemonic.Rcl, Mnemonic.Rcr,
            Mnemonic.Imul, Mnemonic.Mul, Mnemonic.Bsf, Mnemonic.Bsr, Mnemonic.Cmpxchg, Mnemonic.Cbw, Mnemonic.Cwde,
            Mnemonic.Cmove, Mnemonic.Setb, Mnemonic.Lea)
        {
            IsLegacy = true,
        };
        using VcpuFixture wide = new VcpuFixture().Protected();
        for (int round = 0; round < 400; round++)
        {
            var code = new List<Instruction>();
            for (int i = 0; i < 12; i++) code.Add(Narrow(generator.Next(), random));
            ulong seed = random.Next();
            string expected = Outcome(wide, 32, code, seed);
            Assert.That(Outcome(_fixture, 16, code, seed), Is.EqualTo(expected), random.ToString());
        }
    }

    /// <summary>The same instruction with 32-bit addresses, or with 16-bit ones.</summary>
    private static Instruction Narrow(Instruction instruction, SeededGenerator random)
    {
        if (instruction.MemoryBase == Register.None) return instruction;
        bool isShort = random.OneIn(2);
        instruction.MemoryBase = instruction.MemoryBase switch
        {
            Register.RSI => isShort ? Register.SI : Register.ESI,
            Register.RDI => isShort ? Register.DI : Register.EDI,
            _ => isShort ? Register.BP : Register.EBP,
        };
        instruction.MemoryDisplSize = isShort ? 2 : 4;
        instruction.MemoryDisplacement64 &= isShort ? ushort.MaxValue : uint.MaxValue;
        return instruction;
    }

    private static string Outcome(VcpuFixture fixture, int bitness, List<Instruction> code, ulong seed)
    {
        var values = new SeededGenerator(seed);
        using var stream = new System.IO.MemoryStream();
        var encoder = Encoder.Create(bitness, new StreamCodeWriter(stream));
        foreach (Instruction instruction in code) encoder.Encode(instruction, (ulong)stream.Length);
        stream.WriteByte(0xF4);
        fixture.LoadBytes(VcpuFixture.Code, stream.ToArray());
        var data = new System.Span<byte>(fixture.Memory.Base + 0x3000, 0x3000);
        values.Fill(data);
        for (int i = 0; i < 4; i++) fixture.State->Gpr[i] = (uint)values.Next();
        (fixture.State->Gpr[6], fixture.State->Gpr[7], fixture.State->Gpr[5]) = (0x3800, 0x4800, 0x5800);
        fixture.Cpu.Rflags = 2 | (values.Next() & Flags.Arithmetic);
        VcpuExit exit = fixture.Run(bitness == 16 ? 0 : VcpuFixture.Code);
        var text = new System.Text.StringBuilder();
        text.Append(exit).Append(' ').Append(fixture.Cpu.Rflags);
        for (int i = 0; i < 8; i++) if (i != 4) text.Append(' ').Append((uint)fixture.State->Gpr[i]);
        return text.Append(' ').Append(fixture.Memory.Checksum(0x3000, 0x3000)).ToString();
    }

    [Test]
    public void FarPointersLoadASegmentAndARegister()
    {
        _fixture.Write(0x500, 0x2000_1234, 4);
        _fixture.Write(Segment + 0x1234, 0x77, 1);
        Run(a =>
        {
            a.les(bx, __dword_ptr[0x500]);
            a.mov(al, __byte_ptr.es[bx]);
        });
        Assert.That((byte)State->Gpr[0], Is.EqualTo(0x77));
    }

    [Test]
    public void InstructionsOnDescriptorsAreUndefined()
    {
        Handle(6);
        Run(a =>
        {
            a.mov(ax, 8);
            a.ltr(ax);
        });
        Assert.That((ushort)State->Gpr[5], Is.EqualTo(0x1006));
    }

    [Test]
    public void LimitsOfProtectedModeStayBehindIt()
    {
        // The way there and back that programs take to reach all memory from real mode.
        _fixture.Write(VcpuFixture.Gdt, 0);
        _fixture.Write(VcpuFixture.Gdt + 8, 0x00CF_9300_0000_FFFF);
        State->Gdtr.Base = VcpuFixture.Gdt;
        State->Gdtr.Limit = 15;
        _fixture.Write(0x40_0010, 0x5A, 1);
        Run(a =>
        {
            a.mov(eax, cr0);
            a.or(al, 1);
            a.mov(cr0, eax);
            a.mov(bx, 8);
            a.mov(ds, ebx);
            a.and(al, 0xFE);
            a.mov(cr0, eax);
            a.xor(bx, bx);
            a.mov(ds, ebx);
            a.mov(esi, 0x40_0010);
            a.mov(dl, __byte_ptr[esi]);
        });
        Assert.That((byte)State->Gpr[2], Is.EqualTo(0x5A));
    }

    [Test]
    public void TheSameCodeUnderTwoSegmentBasesJumpsWithinEach()
    {
        // One routine, entered at 1000:0800 and at 1080:0000.
        _fixture.Load(VcpuFixture.Code + 0x800, 16, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(cx, 3);
            a.Label(ref top);
            a.inc(bx);
            a.dec(cx);
            a.jnz(top);
            a.mov(si, cs);
            a.add(dx, si);
            a.retf();
        });
        Run(a =>
        {
            for (int i = 0; i < 3; i++)
            {
                a.call((ushort)0x1000, 0x800U);
                a.call((ushort)0x1080, 0U);
            }
        });
        Assert.That((ushort)State->Gpr[3], Is.EqualTo(18));
        Assert.That((ushort)State->Gpr[2], Is.EqualTo((ushort)(3 * 0x1000 + 3 * 0x1080)));
    }

    private void Run(System.Action<Iced.Intel.Assembler> write)
    {
        _fixture.Load(VcpuFixture.Code, 16, a =>
        {
            write(a);
            a.hlt();
        });
        VcpuExit exit = _fixture.Run(0);
        Assert.That(exit, Is.EqualTo(VcpuExit.Halted),
            exit == VcpuExit.Unsupported ? _fixture.Cpu.DescribeUnsupported() : _fixture.Cpu.DescribeRegisters());
    }

    /// <summary>A handler that leaves 1000h and the vector in BP.</summary>
    private void Handle(int vector)
    {
        ulong at = VcpuFixture.Handlers + (ulong)vector * 64;
        _fixture.Write((ulong)vector * 4, at >> 4 << 16, 4);
        _fixture.Load(at, 16, a =>
        {
            a.mov(bp, (short)(0x1000 + vector));
            a.hlt();
        });
    }
}
