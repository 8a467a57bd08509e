using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Pagoda.Core;
using Pagoda.Linux;

namespace Pagoda.Machine.Dump;

/// <summary>Writes physical memory and its page-table roots as an ELF64 core.</summary>
/// <remarks>
/// readelf and gdb read the file: gdb shows memory at the HPA as address. The core appears under its name only when it
/// is whole: it is written to a temporary file beside it and renamed. Set-up and end of a run only; it allocates.
/// Layout: see <see cref="ElfCore"/>.
/// </remarks>
public static unsafe class ElfCoreWriter
{
    private const ulong WriteBytesMax = 16UL << 20;

    /// <summary>Fails now if <see cref="Write"/> could not write to <paramref name="path"/>; changes nothing.</summary>
    /// <exception cref="IOException">The target is a directory, a device, or its directory takes no file.</exception>
    /// <exception cref="UnauthorizedAccessException">The target or its directory may not be written.</exception>
    public static void CheckTarget(string path)
    {
        string target = Resolve(path);
        string temporary = TemporaryBeside(target);
        CreateNew(temporary).Dispose();
        File.Delete(temporary);
    }

    /// <summary>Writes a core of <paramref name="segments"/>, which nobody changes meanwhile.</summary>
    /// <param name="path">The file; replaced if it exists. A symbolic link is followed.</param>
    /// <param name="segments">Runs of memory in ascending order of HPA, none touching another.</param>
    /// <param name="roots">The trees that the note names.</param>
    /// <exception cref="IOException">The target cannot be written; no file is left behind.</exception>
    /// <exception cref="UnauthorizedAccessException">The target or its directory may not be written.</exception>
    public static void Write(string path, ReadOnlySpan<CoreSegment> segments, ReadOnlySpan<CoreRoot> roots)
    {
        string target = Resolve(path);
        string temporary = TemporaryBeside(target);
        bool whole = false;
        try
        {
            using (FileStream stream = CreateNew(temporary)) WriteTo(stream.SafeFileHandle, segments, roots);
            File.Move(temporary, target, overwrite: true);
            whole = true;
        }
        finally
        {
            if (!whole) File.Delete(temporary);
        }
    }

    private static string Resolve(string path)
    {
        string target = Path.GetFullPath(path);
        if (new FileInfo(target).LinkTarget is not null)
        {
            target = File.ResolveLinkTarget(target, returnFinalTarget: true)!.FullName;
        }
        // A rename would put a file in the place of a device.
        switch (MappedFile.KindOf(target))
        {
            case Libc.FileKind.Directory: throw new IOException(path + " is a directory: name a file.");
            case Libc.FileKind.Special: throw new IOException(path + " is not a regular file: name one.");
            case Libc.FileKind.Regular: File.OpenHandle(target, FileMode.Open, FileAccess.Write).Dispose(); break;
            default: break;
        }
        return target;
    }

    private static string TemporaryBeside(string target) => target + "." + Path.GetRandomFileName() + ".partial";

    /// <summary>A guest's memory may hold its secrets: only its owner may read the file.</summary>
    private static FileStream CreateNew(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (OperatingSystem.IsLinux()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    private static void WriteTo(SafeFileHandle file, ReadOnlySpan<CoreSegment> segments, ReadOnlySpan<CoreRoot> roots)
    {
        byte[] note = BuildNote(roots);
        ulong dataOffset = WriteHeaders(file, segments, note);
        ulong offset = dataOffset;
        ulong end = 0;
        foreach (ref readonly CoreSegment segment in segments)
        {
            Invariant.Require(segment.Hpa >= end);
            end = segment.Hpa + segment.Bytes;
            WriteSegment(file, in segment, offset);
            offset += segment.Bytes;
        }
        RandomAccess.SetLength(file, (long)offset);
    }

    private static byte[] BuildNote(ReadOnlySpan<CoreRoot> roots)
    {
        ReadOnlySpan<byte> descriptor = CoreNote.Write(roots).Span;
        int nameBytes = ElfCore.NoteName.Length + 1;
        int descriptorAt = ElfCore.NoteHeaderBytes + AlignNote(nameBytes);
        byte[] note = new byte[descriptorAt + AlignNote(descriptor.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(note, (uint)nameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(4), (uint)descriptor.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(8), ElfCore.NoteType);
        Encoding.ASCII.GetBytes(ElfCore.NoteName, note.AsSpan(ElfCore.NoteHeaderBytes));
        descriptor.CopyTo(note.AsSpan(descriptorAt));
        return note;
    }

    private static int AlignNote(int bytes) => (bytes + ElfCore.NoteAlignment - 1) & -ElfCore.NoteAlignment;

    /// <summary>Writes all before the runs; returns the file offset of the first run.</summary>
    private static ulong WriteHeaders(SafeFileHandle file, ReadOnlySpan<CoreSegment> segments, byte[] note)
    {
        int count = segments.Length + 1;
        bool isMany = count >= ElfCore.ManyProgramHeaders;
        int sectionBytes = isMany ? ElfCore.SectionHeaderBytes : 0;
        int programAt = ElfCore.HeaderBytes + sectionBytes;
        long noteAt = programAt + (long)count * ElfCore.ProgramHeaderBytes;
        ulong dataOffset = ((ulong)noteAt + (ulong)note.Length + Paging.PageOffsetMask) & ~Paging.PageOffsetMask;

        byte[] headers = new byte[noteAt];
        WriteHeader(headers, programAt, isMany ? ElfCore.ManyProgramHeaders : (ushort)count, isMany);
        if (isMany) BinaryPrimitives.WriteUInt32LittleEndian(headers.AsSpan(ElfCore.HeaderBytes + 44), (uint)count);
        Span<byte> program = headers.AsSpan(programAt);
        WriteProgramHeader(program, ElfCore.SegmentNote, 0, (ulong)noteAt, 0, (ulong)note.Length,
            ElfCore.NoteAlignment);
        ulong offset = dataOffset;
        for (int i = 0; i < segments.Length; i++)
        {
            WriteProgramHeader(program[((i + 1) * ElfCore.ProgramHeaderBytes)..], ElfCore.SegmentLoad,
                ElfCore.FlagsReadWrite, offset, segments[i].Hpa, segments[i].Bytes, Paging.PageBytes);
            offset += segments[i].Bytes;
        }
        RandomAccess.Write(file, headers, 0);
        RandomAccess.Write(file, note, noteAt);
        return dataOffset;
    }

    private static void WriteHeader(Span<byte> at, int programAt, ushort programCount, bool hasSection)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(at, ElfCore.Magic);
        at[4] = ElfCore.Class64;
        at[5] = ElfCore.LittleEndian;
        at[6] = ElfCore.CurrentVersion;
        BinaryPrimitives.WriteUInt16LittleEndian(at[16..], ElfCore.TypeCore);
        BinaryPrimitives.WriteUInt16LittleEndian(at[18..], ElfCore.MachineX64);
        BinaryPrimitives.WriteUInt32LittleEndian(at[20..], ElfCore.CurrentVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(at[32..], (ulong)programAt);
        BinaryPrimitives.WriteUInt64LittleEndian(at[40..], hasSection ? ElfCore.HeaderBytes : 0UL);
        BinaryPrimitives.WriteUInt16LittleEndian(at[52..], ElfCore.HeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(at[54..], ElfCore.ProgramHeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(at[56..], programCount);
        BinaryPrimitives.WriteUInt16LittleEndian(at[58..], ElfCore.SectionHeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(at[60..], hasSection ? (ushort)1 : (ushort)0);
    }

    private static void WriteProgramHeader(
        Span<byte> at, uint type, uint flags, ulong offset, ulong hpa, ulong bytes, ulong alignment)
    {
        bool isMemory = type == ElfCore.SegmentLoad;
        BinaryPrimitives.WriteUInt32LittleEndian(at, type);
        BinaryPrimitives.WriteUInt32LittleEndian(at[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(at[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], hpa);
        BinaryPrimitives.WriteUInt64LittleEndian(at[24..], hpa);
        BinaryPrimitives.WriteUInt64LittleEndian(at[32..], bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(at[40..], isMemory ? bytes : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(at[48..], alignment);
    }

    /// <summary>Writes the pages that are not all zero, runs of them at once; the others stay holes.</summary>
    private static void WriteSegment(SafeFileHandle file, in CoreSegment segment, ulong fileOffset)
    {
        ulong start = 0;
        for (ulong at = 0; at < segment.Bytes; at += Paging.PageBytes)
        {
            if (IsZeroPage(segment.Memory + at))
            {
                WriteRun(file, segment.Memory, start, at, fileOffset);
                start = at + Paging.PageBytes;
            }
            else if (at - start >= WriteBytesMax)
            {
                WriteRun(file, segment.Memory, start, at, fileOffset);
                start = at;
            }
        }
        WriteRun(file, segment.Memory, start, segment.Bytes, fileOffset);
    }

    private static bool IsZeroPage(byte* page) =>
        !new ReadOnlySpan<byte>(page, (int)Paging.PageBytes).ContainsAnyExcept((byte)0);

    private static void WriteRun(SafeFileHandle file, byte* memory, ulong start, ulong end, ulong fileOffset)
    {
        if (start >= end) return;
        var run = new ReadOnlySpan<byte>(memory + start, (int)(end - start));
        RandomAccess.Write(file, run, (long)(fileOffset + start));
    }
}
