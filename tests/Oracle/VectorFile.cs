using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Oracle;

/// <summary>Reads the recorded vectors; README.md beside this file has the format.</summary>
internal static class VectorFile
{
    private const ulong Magic = 0x3130_4B4C_4157_4750; // "PGWALK01"
    private const int ProcessorNameBytes = 36;

    /// <summary>Every vector of one kind, group after group.</summary>
    public static List<WalkVector> Read(VectorKind kind)
    {
        string name = kind switch { VectorKind.Ept => "ept", VectorKind.Npt => "npt", _ => "x86" };
        using FileStream file = File.OpenRead(RepositoryRoot.At("tests/Oracle/vectors/" + name + ".bin.gz"));
        using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        using var memory = new MemoryStream();
        unpacked.CopyTo(memory);
        var reader = new Reader(memory.ToArray());
        if (reader.Next<ulong>() != Magic) throw new InvalidDataException(name + ": no vector file of this version.");
        int groups = reader.Next<int>();
        reader.Next<int>();
        var vectors = new List<WalkVector>();
        for (int i = 0; i < groups; i++) ReadGroup(reader, vectors);
        return vectors;
    }

    private static void ReadGroup(Reader reader, List<WalkVector> vectors)
    {
        var kind = (VectorKind)reader.Next<byte>();
        var engine = (VectorEngine)reader.Next<byte>();
        int levels = reader.Next<byte>();
        int physBits = reader.Next<byte>();
        uint caps = reader.Next<uint>();
        int count = reader.Next<int>();
        string processor = Encoding.ASCII.GetString(reader.Bytes(ProcessorNameBytes)).TrimEnd('\0');
        var group = new VectorGroup(kind, engine, processor, levels, physBits, (caps & 1) != 0, (caps & 2) != 0,
            (caps & 4) != 0);
        int first = vectors.Count;
        CollectionsMarshal.SetCount(vectors, first + count);
        Span<WalkVector> rows = CollectionsMarshal.AsSpan(vectors)[first..];
        rows.Clear();
        foreach (ref WalkVector v in rows) v.Group = group;
        foreach (ref WalkVector v in rows) v.Op = (VectorOp)reader.Next<byte>();
        foreach (ref WalkVector v in rows) v.Modes = (VectorModes)reader.Next<byte>();
        foreach (ref WalkVector v in rows) v.Outcome = ToOutcome(reader.Next<byte>());
        foreach (ref WalkVector v in rows) v.PathLength = reader.Next<byte>();
        foreach (ref WalkVector v in rows) v.Info = reader.Next<ulong>();
        foreach (ref WalkVector v in rows) v.Address = reader.Next<ulong>();
        foreach (ref WalkVector v in rows) v.Root = reader.Next<ulong>();
        foreach (ref WalkVector v in rows) v.Hpa = reader.Next<ulong>();
        for (int level = 0; level < levels; level++)
        {
            foreach (ref WalkVector v in rows) v.Before[level] = reader.Next<ulong>();
            foreach (ref WalkVector v in rows) v.Changed[level] = reader.Next<ushort>();
        }
    }

    private static WalkOutcome ToOutcome(byte code) => code switch
    {
        0 => WalkOutcome.Ok,
        1 => WalkOutcome.Violation,
        2 => WalkOutcome.Misconfiguration,
        3 => WalkOutcome.NestedFault,
        4 => WalkOutcome.PageFault,
        5 => WalkOutcome.GeneralProtection,
        _ => throw new InvalidDataException("Outcome " + code + " is not one of the format's."),
    };

    private sealed class Reader(byte[] bytes)
    {
        private int _at;

        public T Next<T>() where T : unmanaged
        {
            T value = MemoryMarshal.Read<T>(bytes.AsSpan(_at));
            _at += Unsafe.SizeOf<T>();
            return value;
        }

        public ReadOnlySpan<byte> Bytes(int count)
        {
            _at += count;
            return bytes.AsSpan(_at - count, count);
        }
    }
}
