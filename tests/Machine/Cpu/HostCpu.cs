using System;
using System.IO;
using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>The sixteen general registers and RFLAGS, before or after a piece of code.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct HostRegisters
{
    public fixed ulong Gpr[16];
    public ulong Rflags;
    public ulong HostStack;
    public ulong Target;
}

/// <summary>
/// Runs pieces of 64-bit code on the processor under the tests, with all registers given, and tells what they became:
/// the oracle for everything that both can execute.
/// </summary>
/// <remarks>
/// Code ends with <see cref="ExitBytes"/>. It must not fault, and RSP must point into memory with room below it,
/// because the runtime's signals may use that stack.
/// </remarks>
internal sealed unsafe partial class HostCpu : IDisposable
{
    private const int PageBytes = 4096;
    private const int FlagsOffset = 16 * 8;
    private const int StackOffset = FlagsOffset + 8;
    private const int TargetOffset = StackOffset + 8;

    private readonly byte* _page;
    private readonly delegate* unmanaged<HostRegisters*, void> _enter;
    private readonly ulong _exit;

    public HostCpu()
    {
        const int ReadWriteExecute = 7;
        const int PrivateAnonymous = 0x22;
        _page = (byte*)Mmap(0, PageBytes, ReadWriteExecute, PrivateAnonymous, -1, 0);
        if ((nint)_page == -1) throw new InsufficientMemoryException("mmap of executable memory failed");
        _exit = Assemble();
        _enter = (delegate* unmanaged<HostRegisters*, void>)_page;
    }

    /// <summary>What must stand at the end of the code: a jump back.</summary>
    public byte[] ExitBytes()
    {
        byte[] bytes = [0xFF, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        BitConverter.TryWriteBytes(bytes.AsSpan(6), _exit);
        return bytes;
    }

    /// <summary>Runs the code at an address.</summary>
    public void Run(void* code, ref HostRegisters registers)
    {
        fixed (HostRegisters* pinned = &registers)
        {
            pinned->Target = (ulong)code;
            _enter(pinned);
        }
    }

    public void Dispose() => _ = Munmap((nint)_page, PageBytes);

    /// <summary>Writes the page; returns the address that code jumps to when it is done.</summary>
    private ulong Assemble()
    {
        var assembler = new Assembler(64);
        Label saved = assembler.CreateLabel();
        Label scratch = assembler.CreateLabel();
        Label exit = assembler.CreateLabel();
        AssembleEntry(assembler, saved, scratch);
        assembler.Label(ref exit);
        AssembleExit(assembler, saved, scratch);
        assembler.Label(ref saved);
        assembler.dq(0UL);
        assembler.Label(ref scratch);
        assembler.dq(0UL);
        using var stream = new MemoryStream();
        AssemblerResult result = assembler.Assemble(new StreamCodeWriter(stream), (ulong)_page,
            BlockEncoderOptions.ReturnNewInstructionOffsets);
        stream.ToArray().CopyTo(new Span<byte>(_page, PageBytes));
        return result.GetLabelRIP(exit);
    }

    private static void AssembleEntry(Assembler a, Label saved, Label scratch)
    {
        a.push(rbx);
        a.push(rbp);
        a.push(r12);
        a.push(r13);
        a.push(r14);
        a.push(r15);
        a.mov(__qword_ptr[saved], rdi);
        a.mov(__qword_ptr[rdi + StackOffset], rsp);
        a.mov(rax, __qword_ptr[rdi + TargetOffset]);
        a.mov(__qword_ptr[scratch], rax);
        a.push(__qword_ptr[rdi + FlagsOffset]);
        a.popfq();
        AssemblerRegister64[] all = Registers;
        for (int i = 0; i < all.Length; i++)
        {
            if (i != 7) a.mov(all[i], __qword_ptr[rdi + i * 8]);
        }
        a.mov(rdi, __qword_ptr[rdi + 7 * 8]);
        a.jmp(__qword_ptr[scratch]);
    }

    private static void AssembleExit(Assembler a, Label saved, Label scratch)
    {
        a.mov(__qword_ptr[scratch], rdi);
        a.mov(rdi, __qword_ptr[saved]);
        AssemblerRegister64[] all = Registers;
        for (int i = 0; i < all.Length; i++)
        {
            if (i != 7) a.mov(__qword_ptr[rdi + i * 8], all[i]);
        }
        a.mov(rax, __qword_ptr[scratch]);
        a.mov(__qword_ptr[rdi + 7 * 8], rax);
        a.mov(rsp, __qword_ptr[rdi + StackOffset]);
        a.pushfq();
        a.pop(rax);
        a.mov(__qword_ptr[rdi + FlagsOffset], rax);
        a.cld();
        a.pop(r15);
        a.pop(r14);
        a.pop(r13);
        a.pop(r12);
        a.pop(rbp);
        a.pop(rbx);
        a.ret();
    }

    private static AssemblerRegister64[] Registers =>
        [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Munmap(nint address, nuint length);
}
