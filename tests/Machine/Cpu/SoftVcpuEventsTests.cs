using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Stops, NMIs and interrupts between instructions, in the modes of the processor.</summary>
public sealed unsafe class SoftVcpuEventsTests
{
    private const int Vector = 0x41;
    private const ulong Handler = VcpuFixture.Handlers;

    private VcpuFixture _fixture = null!;

    private VcpuState* State => _fixture.State;

    [SetUp]
    public void SetUp() => _fixture = new VcpuFixture();

    [TearDown]
    public void TearDown() => _fixture.Dispose();

    [TestCase(64)]
    [TestCase(32)]
    public void AnInterruptWakesAHaltedProcessorAndItsHandlerReturnsBehindTheHalt(int bitness)
    {
        Prepare(bitness, Vector);
        var source = new Vectors(_fixture.Cpu);
        _fixture.Cpu.Interrupts = source;
        source.OnAsked = () => Assert.That(_fixture.Memory.IsInside, Is.False, "who is asked may wait");
        _fixture.Load(VcpuFixture.Code, bitness, a =>
        {
            a.sti();
            a.hlt();
            a.mov(ebx, 2);
            a.cli();
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(_fixture.Cpu.IsRunnable, Is.False);
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[3], Is.Zero, "a halted processor executes nothing");
        source.Add(Vector);
        Assert.That(_fixture.Cpu.IsRunnable, Is.True);
        Assert.That(_fixture.Cpu.Run(100), Is.EqualTo(VcpuExit.Halted));
        Assert.That((State->Gpr[1], State->Gpr[3]), Is.EqualTo((1UL, 2UL)));
        Assert.That(State->Gpr[4], Is.EqualTo(VcpuFixture.StackTop));
    }

    [Test]
    public void AnInterruptIsKeptWhileInterruptsAreOff()
    {
        Prepare(64, Vector);
        var source = new Vectors(_fixture.Cpu);
        _fixture.Cpu.Interrupts = source;
        source.Add(Vector);
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.mov(ebx, ecx);
            a.mov(eax, 5);
            a.sti();
            a.mov(edx, ecx);        // in the shadow of STI
            a.nop();
            a.cli();
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That((State->Gpr[3], State->Gpr[2], State->Gpr[1]), Is.EqualTo((0UL, 0UL, 1UL)));
        Assert.That(source.Asked, Is.EqualTo(2), "and once more behind the vector");
        Assert.That(_fixture.Read(VcpuFixture.StackTop - 40), Is.EqualTo(VcpuFixture.Code + 10));
    }

    [Test]
    public void AnInterruptThatWaitedForALowerPriorityComesWhenItIsLowered()
    {
        Prepare(64, Vector);
        var source = new Vectors(_fixture.Cpu) { IsHeldBack = true };
        _fixture.Cpu.Interrupts = source;
        source.Add(Vector);
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.sti();
            a.nop();
            a.mov(ebx, ecx);
            a.@out(0x80, al);
            a.xor(eax, eax);
            a.mov(cr8, rax);
            a.mov(edx, ecx);
            a.cli();
            a.hlt();
        });
        _fixture.Bus.OnOut = () => source.IsHeldBack = false;
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That((State->Gpr[3], State->Gpr[2]), Is.EqualTo((0UL, 1UL)));
    }

    [Test]
    public void LoadingTheStackSegmentShadowsTheNextInstruction()
    {
        Prepare(64, Vector);
        var source = new Vectors(_fixture.Cpu);
        _fixture.Cpu.Interrupts = source;
        _fixture.Bus.OnOut = () => source.Add(Vector);
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.sti();
            a.mov(esi, 0x10);
            a.cli();
            a.@out(0x80, al);
            a.sti();
            a.mov(ss, esi);
            a.mov(rsp, VcpuFixture.StackTop - 0x100);
            a.nop();
            a.cli();
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[1], Is.EqualTo(1));
        // MOV SS lies in STI's shadow and makes one of its own: the frame is on the new stack.
        Assert.That(_fixture.Read(VcpuFixture.StackTop - 0x100 - 16), Is.EqualTo(VcpuFixture.StackTop - 0x100));
    }

    [TestCase(64)]
    [TestCase(32)]
    [TestCase(16)]
    public void AnNmiNeedsNoFlagAndIsBlockedUntilTheReturn(int bitness)
    {
        Prepare(bitness, 2, () =>
        {
            if ((byte)State->Gpr[1] == 1) _fixture.Cpu.RequestNmi();
        });
        _fixture.Load(VcpuFixture.Code, bitness, a =>
        {
            a.hlt();
            a.mov(ebx, 7);
            a.hlt();
        });
        Assert.That(_fixture.Run(bitness == 16 ? 0 : VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        _fixture.Cpu.RequestNmi();
        Assert.That(_fixture.Cpu.IsRunnable, Is.True);
        // The handler asks for two more by a port: one is kept, and comes when the handler has returned.
        Assert.That(_fixture.Cpu.Run(1000), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[1], Is.EqualTo(2), "handled twice");
        Assert.That(State->Gpr[3], Is.EqualTo(7));
        Assert.That(State->NmiBlocked, Is.Zero);
    }

    [Test]
    public void AnInterruptToUserCodeChangesTheStackAndComesBack()
    {
        Prepare(64, Vector);
        _fixture.Write(VcpuFixture.Task + 4, 0x7_0000);
        var source = new Vectors(_fixture.Cpu);
        _fixture.Cpu.Interrupts = source;
        source.Add(Vector);
        _fixture.HandleByStoring(3, 64);
        _fixture.SetGate(3, VcpuFixture.Handlers + 3 * 64, VcpuFixture.Code64, dpl: 3);
        const ulong User = 0x6_0000;
        _fixture.Load(User, 64, a =>
        {
            a.mov(r12, rsp);
            a.int3();
        });
        _fixture.Run64(a =>
        {
            a.push(VcpuFixture.UserData);
            a.push(0x2_8000);
            a.push(0x202);
            a.push(VcpuFixture.UserCode64);
            a.push((int)User);
            a.iretq();
        });
        Assert.That(State->Gpr[1], Is.EqualTo(1), "taken as soon as IRET turned interrupts on");
        Assert.That(State->Gpr[12], Is.EqualTo(0x2_8000));
        Assert.That(State->Gpr[15], Is.EqualTo(0x1003));
    }

    [Test]
    public void ARequestThatAnInstructionMakesIsTakenAtTheEndOfItsBlock()
    {
        Prepare(64, 2);
        _fixture.Bus.OnOut = () => _fixture.Cpu.RequestNmi();
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            Iced.Intel.Label next = a.CreateLabel();
            a.@out(0x80, al);
            a.jmp(next);
            a.nop();
            a.Label(ref next);
            a.call(VcpuFixture.Code + 0x100);
            a.hlt();
        });
        _fixture.Load(VcpuFixture.Code + 0x100, 64, a =>
        {
            a.mov(ebx, ecx);
            a.ret();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[3], Is.EqualTo(1), "seen by the code behind the call");
    }

    [Test]
    public void ALongRepeatedInstructionIsInterruptedAndGoesOn()
    {
        Prepare(64, 2);
        int polls = 0;
        _fixture.Memory.OnPoll = () =>
        {
            if (++polls == 3) _fixture.Cpu.RequestNmi();
        };
        _fixture.Load(VcpuFixture.Code, 64, a =>
        {
            a.mov(edi, 0x20_0000);
            a.mov(r8d, 0x8000);
            a.mov(eax, 0x55);
            a.xchg(ecx, r8d);
            a.rep.stosb();
            a.hlt();
        });
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        // The handler counts in ECX: the frame shows where it came in, and the string goes on one byte longer.
        Assert.That(_fixture.Read(VcpuFixture.StackTop - 40), Is.EqualTo(VcpuFixture.Code + 19));
        Assert.That(State->Gpr[7], Is.EqualTo(0x20_8001));
    }

    [Test]
    public void AnEventThatCannotBeDeliveredIsADoubleFault()
    {
        _fixture.Long().HandleByStoring(8, 64);
        _fixture.SetGate(13, 0, 0);
        _fixture.Cpu.RequestNmi();
        _fixture.Load(VcpuFixture.Code, 64, a => a.hlt());
        Assert.That(_fixture.Run(VcpuFixture.Code), Is.EqualTo(VcpuExit.Halted));
        Assert.That(State->Gpr[15], Is.EqualTo(0x1008));
    }

    [Test]
    public void ASleeperIsWokenByARequestOfAnotherThread()
    {
        _fixture.Long().Run64(a => a.nop());
        SoftVcpu cpu = _fixture.Cpu;
        using var started = new ManualResetEventSlim();
        var sleeper = new Thread(() =>
        {
            started.Set();
            while (!cpu.WaitUntilRunnable()) { }
        });
        sleeper.Start();
        started.Wait();
        cpu.RequestNmi();
        Assert.That(sleeper.Join(TimeSpan.FromMinutes(1)), Is.True);
        Assert.That(State->Events & (1UL << 5), Is.Zero);
    }

    [TestCase(64)]
    [TestCase(32)]
    [TestCase(16)]
    public void AnNmiBetweenAnyTwoInstructionsChangesNothing(int bitness)
    {
        string undisturbed = Compute(bitness, disturbs: false);
        Assert.That(Compute(bitness, disturbs: true), Is.EqualTo(undisturbed));
        Assert.That(State->ExceptionsDelivered, Is.Zero);
    }

    /// <summary>Runs code with every kind of flags, a NMI in front of each instruction or none; what it left.</summary>
    private string Compute(int bitness, bool disturbs)
    {
        Prepare(bitness, 2);
        _fixture.Cpu.BlockLimit = 1;
        _fixture.Load(Handler, bitness, a =>
        {
            a.cmp(esp, ecx);            // other flags, of another kind
            a.test(dl, dl);
            if (bitness == 64) a.iretq();
            else if (bitness == 32) a.iretd();
            else a.iret();
        });
        ulong end = _fixture.Load(VcpuFixture.Code, bitness, a =>
        {
            Iced.Intel.Label top = a.CreateLabel();
            a.mov(ecx, 40);
            a.mov(eax, 0x89AB_CDEF);
            a.mov(ebx, 0x1357_9BDF);
            a.Label(ref top);
            a.add(eax, ebx);
            a.adc(ebx, 0x1234);
            a.rcl(eax, 3);
            a.sbb(edx, eax);
            a.push(bx);
            a.imul(ebx, eax, 7);
            a.inc(edx);
            a.pop(si);
            a.bt(eax, 5);
            a.rcr(edx, 1);
            a.sar(ebx, 2);
            a.cmp(al, bl);
            a.setl(al);
            a.pushf();
            a.shl(ebp, 1);
            a.popf();
            a.adc(ebp, esi);
            a.dec(ecx);
            a.jnz(top);
            a.pushf();
            a.pop(di);
        });
        State->Rip = bitness == 16 ? 0 : VcpuFixture.Code;
        State->Activity = VcpuActivity.Running;
        ulong last = bitness == 16 ? end - VcpuFixture.Code : end;
        int steps = 0;
        while (State->Rip != last)
        {
            if (disturbs)
            {
                _fixture.Cpu.RequestNmi();
                do _fixture.Cpu.Run(1);
                while (State->NmiBlocked != 0);
            }
            _fixture.Cpu.Run(1);
            Assert.That(++steps, Is.LessThan(10_000), "it does not come to an end");
        }
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < 8; i++) text.Append(State->Gpr[i]).Append(' ');
        return text.ToString();
    }

    /// <summary>The mode, and a handler that counts in ECX and writes a port.</summary>
    private void Prepare(int bitness, int vector, Action? onOut = null)
    {
        if (bitness == 64) _fixture.Long();
        else if (bitness == 32) _fixture.Protected();
        else _fixture.Real();
        _fixture.Bus.OnOut = onOut;
        if (bitness == 16)
        {
            _fixture.Write((ulong)vector * 4, Handler >> 4 << 16, 4);
            State->SegmentBase[1] = VcpuFixture.Code;
            State->Cs.Selector = (ushort)(VcpuFixture.Code >> 4);
            _fixture.Cpu.ModeChanged();
        }
        else
        {
            _fixture.SetGate(vector, Handler, bitness == 64 ? VcpuFixture.Code64 : VcpuFixture.Code32);
        }
        _fixture.Load(Handler, bitness, a =>
        {
            a.inc(ecx);
            if (onOut != null)
            {
                a.@out(0x80, al);
                a.@out(0x80, al);
            }
            if (bitness == 64) a.iretq();
            else if (bitness == 32) a.iretd();
            else a.iret();
        });
    }

    /// <summary>Vectors in the order in which they were added.</summary>
    private sealed class Vectors(SoftVcpu cpu) : IInterruptSource
    {
        private readonly System.Collections.Generic.Queue<byte> _pending = new();

        public int Asked { get; private set; }

        public bool IsHeldBack { get; set; }

        public Action? OnAsked { get; set; }

        public void Add(byte vector)
        {
            _pending.Enqueue(vector);
            cpu.RequestInterrupt();
        }

        public bool TryAcknowledge(out byte vector)
        {
            Asked++;
            OnAsked?.Invoke();
            vector = 0;
            return !IsHeldBack && _pending.TryDequeue(out vector);
        }
    }
}
