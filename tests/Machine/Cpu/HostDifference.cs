using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Iced.Intel;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>
/// Runs the same code, with the same registers and memory, on the host's processor and on a vCPU, and expects the same
/// registers, flags and memory.
/// </summary>
internal sealed unsafe class HostDifference : IDisposable
{
    private const ulong MemoryBytes = 1 << 20;
    private const ulong CodeAt = 0x1000;
    private const ulong DataAt = 0x2_0000;
    private const int DataBytes = 0x1_0000;
    private const ulong StackAt = 0x8_0000;
    private const ulong ArithmeticFlags = 0x8D5;
    private const ulong ComparedFlags = ArithmeticFlags | 0x400;
    private const ulong FlagsBase = 0x202;

    private readonly FlatMemory _memory = new(MemoryBytes, isShared: true);
    private readonly RecordingBus _bus = new();
    private readonly HostCpu _host = new();
    private readonly SoftVcpu _cpu;
    private readonly SeededGenerator _random;
    private readonly byte[] _before = new byte[DataBytes];
    private readonly byte[] _afterHost = new byte[DataBytes];

    public HostDifference(SeededGenerator random)
    {
        _random = random;
        _cpu = new SoftVcpu(_memory, _bus, 1 << 20);
        _bus.Cpu = _cpu;
        _bus.Memory = _memory;
        _cpu.State->Efer = 0x500;
        _cpu.State->Cr0 = 0x8000_0011;
        _cpu.State->Cr4 = 0x20;
        _cpu.SetSegment(1, 8, 0xA09B, uint.MaxValue, 0);
        _cpu.ModeChanged();
    }

    /// <summary>Where data lies, for code that needs an address.</summary>
    public ulong Data => _memory.Origin + DataAt;

    /// <summary>Where the code starts.</summary>
    public ulong Code => _memory.Origin + CodeAt;

    /// <summary>Called with the registers before each run, to give some of them chosen values.</summary>
    public Action<Registers>? Prepare { get; set; }

    /// <summary>The registers that a run starts with.</summary>
    public sealed class Registers
    {
        public ulong[] Values { get; } = new ulong[16];

        public ulong Rflags { get; set; }
    }

    /// <summary>Checks a sequence; flags in <paramref name="undefined"/> are not compared.</summary>
    public void Check(ReadOnlySpan<Instruction> code, ulong undefined = 0)
    {
        var list = new List<Instruction>();
        foreach (Instruction instruction in code) list.Add(instruction);
        using var stream = new MemoryStream();
        var block = new InstructionBlock(new StreamCodeWriter(stream), list, Code);
        bool isEncoded = BlockEncoder.TryEncode(64, block, out string? error, out _);
        Assert.That(isEncoded, Is.True, error);
        Check(stream.ToArray(), undefined, () => Describe(list));
    }

    /// <summary>Checks assembled code.</summary>
    public void Check(Action<Assembler> write, ulong undefined = 0)
    {
        var assembler = new Assembler(64);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), Code);
        Check(stream.ToArray(), undefined, () => Convert.ToHexString(stream.ToArray()));
    }

    public void Dispose()
    {
        _cpu.Dispose();
        _memory.Dispose();
        _host.Dispose();
    }

    private void Check(byte[] code, ulong undefined, Func<string> describe)
    {
        var start = new Registers();
        Randomize(start);
        Prepare?.Invoke(start);
        _random.Fill(_before);
        var host = default(HostRegisters);
        for (int i = 0; i < 16; i++) host.Gpr[i] = start.Values[i];
        host.Rflags = start.Rflags;

        Load(code, _host.ExitBytes());
        _before.CopyTo(DataSpan);
        _host.Run(_memory.Base + CodeAt, ref host);
        DataSpan.CopyTo(_afterHost);

        Load(code, [0xF4]);
        _before.CopyTo(DataSpan);
        for (int i = 0; i < 16; i++) _cpu.State->Gpr[i] = start.Values[i];
        _cpu.Rflags = start.Rflags;
        _cpu.State->Rip = Code;
        _cpu.State->Activity = VcpuActivity.Running;
        VcpuExit exit = _cpu.Run(1_000_000);
        if (exit != VcpuExit.Halted)
        {
            string text = exit == VcpuExit.Unsupported ? _cpu.DescribeUnsupported() : "";
            Assert.Fail($"{exit} {text}\n{describe()}\n{_random}");
        }
        Compare(host, start, undefined, describe);
    }

    private Span<byte> DataSpan => new(_memory.Base + DataAt, DataBytes);

    private void Compare(in HostRegisters host, Registers start, ulong undefined, Func<string> describe)
    {
        var differences = new StringBuilder();
        for (int i = 0; i < 16; i++)
        {
            if (host.Gpr[i] == _cpu.State->Gpr[i]) continue;
            differences.Append($"register {i}: host {host.Gpr[i]:x}, vCPU {_cpu.State->Gpr[i]:x}, "
                + $"before {start.Values[i]:x}\n");
        }
        ulong mask = ComparedFlags & ~undefined;
        if (((host.Rflags ^ _cpu.Rflags) & mask) != 0)
        {
            differences.Append($"flags: host {host.Rflags & mask:x}, vCPU {_cpu.Rflags & mask:x}, "
                + $"before {start.Rflags:x}\n");
        }
        if (!DataSpan.SequenceEqual(_afterHost))
        {
            int at = DataSpan.CommonPrefixLength(_afterHost);
            differences.Append($"memory at +{at:x}: host {_afterHost[at]:x}, vCPU {DataSpan[at]:x}\n");
        }
        if (differences.Length == 0) return;
        for (int i = 0; i < 16; i++) differences.Append($"r{i}={start.Values[i]:x} ");
        Assert.Fail($"{differences}\n{describe()}\n{_random}");
    }

    private void Load(byte[] code, byte[] tail)
    {
        byte* at = _memory.Base + CodeAt;
        code.CopyTo(new Span<byte>(at, code.Length));
        tail.CopyTo(new Span<byte>(at + code.Length, tail.Length));
        _memory.ContentChanged(Code, code.Length + tail.Length);
    }

    private void Randomize(Registers start)
    {
        for (int i = 0; i < 16; i++) start.Values[i] = Value();
        start.Values[4] = _memory.Origin + StackAt;
        start.Values[5] = Data + 0x8000;
        start.Values[6] = Data + 0x4000;
        start.Values[7] = Data + 0xC000;
        start.Values[9] = (ulong)_random.Below(200);
        start.Values[10] = (ulong)-_random.Below(200);
        start.Rflags = FlagsBase | (_random.Next() & ArithmeticFlags);
    }

    /// <summary>Half of them near a border of some width.</summary>
    private ulong Value()
    {
        ulong value = _random.Next();
        if (_random.OneIn(2)) return value;
        ulong near = (ulong)_random.Between(-2, 2);
        return _random.Below(6) switch
        {
            0 => near,
            1 => near + 0x80,
            2 => near + 0x8000,
            3 => near + 0x8000_0000,
            4 => near + (1UL << 63),
            _ => near + (1UL << 32),
        };
    }

    private static string Describe(List<Instruction> list)
    {
        var formatter = new NasmFormatter();
        var output = new StringOutput();
        foreach (Instruction instruction in list)
        {
            formatter.Format(instruction, output);
            output.Write("\n", FormatterTextKind.Text);
        }
        return output.ToStringAndReset();
    }
}
