using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Pagoda.Core;
using Pagoda.Machine.Dump;

namespace Pagoda.Cli;

/// <summary>What an ELF64 core says of its memory and its roots. Nothing in the file is trusted.</summary>
/// <param name="Extents">The runs of memory, in ascending order of HPA.</param>
/// <param name="Roots">The trees that its note names; at least one.</param>
internal sealed record InspectCore(ImageExtent[] Extents, CoreRoot[] Roots)
{
    private const ulong NoteBytesMax = 16UL << 20;
    private const ulong EntryOffsetMask = sizeof(ulong) - 1;

    /// <summary>Reads the headers and the note.</summary>
    /// <exception cref="CliException">It is no core of ours, or its parts contradict.</exception>
    internal static InspectCore Read(MappedFile file, string path)
    {
        (ulong at, ulong count) = ReadHeader(file, path);
        var extents = new List<ImageExtent>();
        CoreRoot[] roots = [];
        Span<byte> program = stackalloc byte[ElfCore.ProgramHeaderBytes];
        for (ulong i = 0; i < count; i++)
        {
            Invariant.Require(file.TryRead(at + i * ElfCore.ProgramHeaderBytes, program));
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(program);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(program[8..]);
            ulong hpa = BinaryPrimitives.ReadUInt64LittleEndian(program[24..]);
            ulong bytes = BinaryPrimitives.ReadUInt64LittleEndian(program[32..]);
            if (type is not (ElfCore.SegmentLoad or ElfCore.SegmentNote) || bytes == 0) continue;
            if (offset > file.Length || bytes > file.Length - offset)
            {
                throw Broken(path, "segment " + i + " lies beyond its end");
            }
            if (type == ElfCore.SegmentNote && roots.Length == 0) roots = ReadNotes(file, path, offset, bytes);
            if (type != ElfCore.SegmentLoad) continue;
            if (((hpa | offset) & EntryOffsetMask) != 0) throw Broken(path, "segment " + i + " is not aligned");
            if (bytes > ulong.MaxValue - hpa) throw Broken(path, "segment " + i + " passes 2^64");
            extents.Add(new ImageExtent(hpa, bytes, offset));
        }
        if (roots.Length == 0)
        {
            throw Broken(path, "it has no " + ElfCore.NoteName + " note that names a root");
        }
        return new InspectCore(Sort(extents, path), roots);
    }

    private static (ulong At, ulong Count) ReadHeader(MappedFile file, string path)
    {
        Span<byte> header = stackalloc byte[ElfCore.HeaderBytes];
        bool isCore = file.TryRead(0, header)
            && BinaryPrimitives.ReadUInt32LittleEndian(header) == ElfCore.Magic
            && header[4] == ElfCore.Class64
            && header[5] == ElfCore.LittleEndian
            && BinaryPrimitives.ReadUInt16LittleEndian(header[16..]) == ElfCore.TypeCore;
        if (!isCore)
        {
            throw new CliException("FILE: " + path + " is not an ELF64 core; give one that 'pagoda run --dump' wrote,"
                + " or --raw for a flat image.");
        }
        if (BinaryPrimitives.ReadUInt16LittleEndian(header[54..]) != ElfCore.ProgramHeaderBytes)
        {
            throw Broken(path, "its program headers have another size");
        }
        ulong at = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        ulong count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (count == ElfCore.ManyProgramHeaders)
        {
            Span<byte> section = stackalloc byte[ElfCore.SectionHeaderBytes];
            if (!file.TryRead(BinaryPrimitives.ReadUInt64LittleEndian(header[40..]), section))
            {
                throw Broken(path, "its headers are cut off");
            }
            count = BinaryPrimitives.ReadUInt32LittleEndian(section[44..]);
        }
        if (at > file.Length || count > (file.Length - at) / ElfCore.ProgramHeaderBytes)
        {
            throw Broken(path, "its headers are cut off");
        }
        return (at, count);
    }

    private static ImageExtent[] Sort(List<ImageExtent> extents, string path)
    {
        ImageExtent[] sorted = [.. extents];
        Array.Sort(sorted, static (left, right) => left.Hpa.CompareTo(right.Hpa));
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].Hpa >= sorted[i - 1].Hpa + sorted[i - 1].Bytes) continue;
            throw Broken(path, "two segments overlap at " + new Hpa(sorted[i].Hpa));
        }
        return sorted;
    }

    private static CoreRoot[] ReadNotes(MappedFile file, string path, ulong offset, ulong bytes)
    {
        if (bytes > NoteBytesMax) throw Broken(path, "its notes are longer than " + (NoteBytesMax >> 20) + " MiB");
        byte[] notes = new byte[bytes];
        Invariant.Require(file.TryRead(offset, notes));
        ReadOnlySpan<byte> rest = notes;
        while (rest.Length >= ElfCore.NoteHeaderBytes)
        {
            ulong nameBytes = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            ulong descriptorBytes = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]);
            ulong descriptorAt = ElfCore.NoteHeaderBytes + Align(nameBytes);
            if (descriptorAt + descriptorBytes > (ulong)rest.Length) throw Broken(path, "its notes are cut off");
            ReadOnlySpan<byte> name = rest.Slice(ElfCore.NoteHeaderBytes, (int)nameBytes).TrimEnd((byte)0);
            if (type == ElfCore.NoteType && name.SequenceEqual(Encoding.ASCII.GetBytes(ElfCore.NoteName)))
            {
                return ReadRoots(path, rest.Slice((int)descriptorAt, (int)descriptorBytes));
            }
            rest = rest[(int)Math.Min(descriptorAt + Align(descriptorBytes), (ulong)rest.Length)..];
        }
        return [];
    }

    private static CoreRoot[] ReadRoots(string path, ReadOnlySpan<byte> descriptor)
    {
        try
        {
            if (CoreNote.TryRead(descriptor, out CoreRoot[] roots)) return roots;
        }
        catch (JsonException exception)
        {
            throw Broken(path, "its " + ElfCore.NoteName + " note is not JSON (" + exception.Message + ")");
        }
        throw Broken(path, "its " + ElfCore.NoteName + " note says nothing that this version understands");
    }

    private static ulong Align(ulong bytes) =>
        (bytes + ElfCore.NoteAlignment - 1) & ~(ulong)(ElfCore.NoteAlignment - 1);

    private static CliException Broken(string path, string what) =>
        new("FILE: " + path + " is a damaged or foreign core: " + what + "; dump the guest again.");
}
