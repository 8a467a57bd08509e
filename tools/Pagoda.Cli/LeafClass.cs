using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>What leaves have in common when they are counted together: size, rights, accessed, dirty.</summary>
/// <remarks>
/// <code>
///    7:6      5     4   3   2:0
///   +-------+------+---+---+-----+
///   | level | user | A | D | RWX |   level 0 to 2 stands for 1 to 3; 3 for what is no leaf: see the named ones
///   +-------+------+---+---+-----+
/// </code>
/// </remarks>
/// <param name="Index">The number, from 0 below <see cref="Count"/>.</param>
internal readonly record struct LeafClass(byte Index)
{
    /// <summary>How many classes there are.</summary>
    internal const int Count = 256;

    /// <summary>Entries that hardware refuses.</summary>
    internal static readonly LeafClass Malformed = new(NoLeaf);

    /// <summary>Tables, or entries of tables, outside the image.</summary>
    internal static readonly LeafClass Outside = new(NoLeaf + 1);

    /// <summary>Tables that were not read, because there are too many.</summary>
    internal static readonly LeafClass Unread = new(NoLeaf + 2);

    /// <summary>Absent entries, counted in pages of 4 KiB.</summary>
    internal static readonly LeafClass Hole = new(NoLeaf + 3);

    private const int LevelShift = 6;
    private const byte NoLeaf = 3 << LevelShift;
    private const byte UserBit = 1 << 5;
    private const byte AccessedBit = 1 << 4;
    private const byte DirtyBit = 1 << 3;
    private const byte RightsMask = (byte)Prot.All;

    /// <summary>It is of leaves.</summary>
    internal bool IsLeaf => Index < NoLeaf;

    /// <summary>The leaves' level, 1 to 3.</summary>
    internal int Level => (Index >> LevelShift) + 1;

    /// <summary>What the leaves and all above them allow.</summary>
    internal Prot Rights => (Prot)(Index & RightsMask);

    /// <summary>The leaves and all above them allow user mode.</summary>
    internal bool IsUser => (Index & UserBit) != 0;

    /// <summary>The leaves' accessed bit.</summary>
    internal bool IsAccessed => (Index & AccessedBit) != 0;

    /// <summary>The leaves' dirty bit.</summary>
    internal bool IsDirty => (Index & DirtyBit) != 0;

    /// <summary>The class of one leaf, by itself.</summary>
    internal static LeafClass Of(int level, in EntryFacts leaf) =>
        new((byte)(((level - 1) << LevelShift) | (leaf.IsUser ? UserBit : 0) | (leaf.IsAccessed ? AccessedBit : 0)
            | (leaf.IsDirty ? DirtyBit : 0) | (byte)leaf.Rights));

    /// <summary>The class below a table entry, whose rights bound it.</summary>
    internal LeafClass Below(in EntryFacts table)
    {
        if (!IsLeaf) return this;
        int taken = (RightsMask & ~(byte)table.Rights) | (table.IsUser ? 0 : UserBit);
        return new LeafClass((byte)(Index & ~taken));
    }
}

/// <summary>How many leaves are of a class.</summary>
/// <param name="Class">The class.</param>
/// <param name="Count">Leaves; for the classes that are none see there.</param>
internal readonly record struct ClassCount(LeafClass Class, ulong Count);
