using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Finding, decoding and linking blocks.</summary>
public sealed unsafe class SoftVcpuFetchTests
{
    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [Test]
    public void AnInstructionThatCrossesAPageIsExecutedFromBoth()
    {
        _fixture.Long();
        const ulong Start = 0x6_0FFC;
        _fixture.LoadBytes(Start, 0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 0xF4);     // mov rax, imm64; hlt
        Assert.That(_fixture.Run(Start), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[0], Is.EqualTo(0x0807_0605_0403_0201));
    }

    [TestCase(0x6_0FFEUL)]
    [TestCase(0x6_1003UL)]
    public void AChangeInEitherPageOfACrossingInstructionIsSeen(ulong changed)
    {
        _fixture.Long();
        const ulong Start = 0x6_0FFC;
        _fixture.LoadBytes(Start, 0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 0xC3);     // mov rax, imm64; ret
        _fixture.Run64(a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(ebx, (int)Start);
            a.mov(ecx, 3);
            a.xor(edx, edx);
            a.Label(ref top);
            a.call(rbx);
            a.add(rdx, rax);
            a.inc(__byte_ptr[changed]);
            a.dec(ecx);
            a.jnz(top);
        });
        ulong first = 0x0807_0605_0403_0201;
        ulong step = 1UL << (int)(changed - Start - 2) * 8;
        Assert.That(State->Gpr[2], Is.EqualTo(unchecked(3 * first + 3 * step)));
    }

    [TestCase(0x6_0FFEUL)]
    [TestCase(0x6_1003UL)]
    public void AStoreOfAnotherProcessorBesideTheDecodingOfACrossingInstructionIsSeen(ulong changed)
    {
        _fixture.Long();
        const ulong Start = 0x6_0FFC;
        _fixture.LoadBytes(Start, 0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 0xF4);     // mov rax, imm64; hlt
        _fixture.Memory.OnMark = _ =>
        {
            _fixture.Memory.Base[changed] = 0x55;
            _fixture.Memory.OnMark = null;
        };
        Assert.That(_fixture.Run(Start), Is.EqualTo(VcpuExit.Halted));
        int shift = (int)(changed - Start - 2) * 8;
        Assert.That((byte)(State->Gpr[0] >> shift), Is.EqualTo(0x55));
    }

    [Test]
    public void AFetchFaultInTheSecondPageNamesThatPage()
    {
        _fixture.Long().HandleByStoring(14, 64);
        const ulong Start = 0x6_0FFC;
        _fixture.LoadBytes(Start, 0x48, 0xB8, 1, 2);
        _fixture.Memory.SetRights(0x6_1000, Prot.ReadWrite);
        Assert.That(_fixture.Run(Start), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[15], Is.EqualTo(0x100E));
        Assert.That(State->Cr2, Is.EqualTo(0x6_1000));
        Assert.That(_fixture.Read(State->Gpr[4] + 8), Is.EqualTo(Start));
    }

    [Test]
    public void AnInstructionThatOnlyTouchesTheEndOfItsPageNeedsNoOther()
    {
        _fixture.Long();
        const ulong Start = 0x6_0FFE;
        _fixture.LoadBytes(Start, 0x90, 0xF4);
        _fixture.Memory.SetRights(0x6_1000, Prot.None);
        Assert.That(_fixture.Run(Start), Is.EqualTo(VcpuExit.Halted));
    }

    [Test]
    public void LoopsAcrossPagesAreLinkedOnce()
    {
        _fixture.Long();
        const ulong Start = 0x6_0FF0;
        _fixture.Load(Start, 64, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(ecx, 100_000);
            a.Label(ref top);
            a.add(rax, rcx);
            a.add(rdx, rax);
            a.xor(rdx, rcx);
            a.lea(rbx, __[rdx + rax]);
            a.dec(ecx);
            a.jnz(top);
            a.hlt();
        });
        ulong decoded = State->BlocksDecoded;
        Assert.That(_fixture.Run(Start), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->BlocksDecoded - decoded, Is.LessThan(10));
        Assert.That(State->Gpr[0], Is.EqualTo(100_000UL * 100_001 / 2));
    }

    [Test]
    public void TheSameCodeUnderTwoAddressesKnowsWhereItIs()
    {
        // Two addresses of one frame: what is decoded once computes addresses from its own.
        _fixture.Long();
        _fixture.Memory.AliasFrom = 0x40_0000;
        _fixture.Load(0x6_0000, 64, a =>
        {
            Iced.Intel.Label here = a.CreateLabel();
            a.Label(ref here);
            a.lea(rax, __[here]);
            a.ret();
        });
        _fixture.Run64(a =>
        {
            a.mov(ebx, 0x6_0000);
            a.call(rbx);
            a.mov(r8, rax);
            a.mov(ebx, 0x46_0000);
            a.call(rbx);
            a.mov(r9, rax);
        });
        Assert.That(State->Gpr[8], Is.EqualTo(0x6_0000));
        Assert.That(State->Gpr[9], Is.EqualTo(0x46_0000));
    }

    [Test]
    public void AFullCacheStartsOverAndTheProgramGoesOn()
    {
        _fixture.Long();
        // A chain of jumps through far more blocks than fit.
        const ulong First = 0x10_0000;
        const int Blocks = 3000;
        for (int i = 0; i < Blocks; i++)
        {
            ulong next = First + (ulong)(i + 1) * 512;
            _fixture.Load(First + (ulong)i * 512, 64, a =>
            {
                for (int k = 0; k < 40; k++) a.inc(rbx);
                if (i == Blocks - 1) a.hlt();
                else a.jmp(next);
            });
        }
        for (int round = 0; round < 2; round++)
        {
            State->Gpr[3] = 0;
            Assert.That(_fixture.Run(First), Is.EqualTo(VcpuExit.Halted));
            Assert.That(State->Gpr[3], Is.EqualTo(40UL * Blocks));
        }
        Assert.That(_fixture.Cpu.CacheResets, Is.GreaterThan(0));
    }

    [Test]
    public void CodeInDeviceMemoryIsUnsupported()
    {
        _fixture.Long();
        _fixture.Memory.SetDevice(0x10_0000);
        Assert.That(_fixture.Run(0x10_0000), Is.EqualTo(VcpuExit.Unsupported));
        Assert.That(State->Rip, Is.EqualTo(0x10_0000));
        Assert.That(_fixture.Cpu.DescribeUnsupported(), Does.Contain("device memory"));
    }

    [TestCase("store")]
    [TestCase("two stores behind a load")]
    [TestCase("read and write")]
    [TestCase("locked")]
    [TestCase("string")]
    [TestCase("push")]
    public void CodeAheadIsExecutedAsStoredThoughAnotherProcessorHasJustEndedTheWatch(string how)
    {
        // The constant of a move in the running block; the other's store hits the same line, earlier in the block.
        _fixture.Long();
        _fixture.Memory.SetDevice(0x10_0000);
        _fixture.Bus.OnMmio = () => _fixture.Memory.ContentChanged(VcpuFixture.Code, 1);
        _fixture.Run64(a =>
        {
            Iced.Intel.Label move = a.CreateLabel();
            a.lea(rdi, __[move]);
            a.mov(eax, 7);
            a.mov(ecx, 4);
            a.mov(__dword_ptr[0x10_0000], eax);
            switch (how)
            {
                case "store":
                    a.mov(__dword_ptr[rdi + 1], eax);
                    break;
                case "two stores behind a load":
                    a.mov(edx, __dword_ptr[rdi + 1]);
                    a.mov(__byte_ptr[rdi + 2], 0);
                    a.mov(__byte_ptr[rdi + 1], 7);
                    break;
                case "read and write":
                    a.add(__dword_ptr[rdi + 1], eax);
                    break;
                case "locked":
                    a.@lock.or(__dword_ptr[rdi + 1], eax);
                    break;
                case "string":
                    a.inc(rdi);
                    a.mov(eax, 0x0707_0707);
                    a.rep.stosb();
                    break;
                default:
                    a.mov(rdx, __qword_ptr[rdi + 1]);
                    a.mov(dl, 7);
                    a.lea(rsp, __[rdi + 9]);
                    a.push(rdx);
                    break;
            }
            a.Label(ref move);
            a.mov(ebx, 0);
        });
        Assert.That((byte)State->Gpr[3], Is.EqualTo(7));
    }
}
