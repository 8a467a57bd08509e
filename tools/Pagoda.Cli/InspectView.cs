using System.Collections.Generic;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>What an entry means to hardware and, where accessed and dirty bits are emulated, to the engine.</summary>
internal sealed class InspectView
{
    private const string ReservedType = "type ";
    private static readonly string[] s_names = ["", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"];

    private static readonly string[] s_memoryTypes =
        ["UC", "WC", ReservedType + "2", ReservedType + "3", "WT", "WP", "WB", ReservedType + "7"];

    private readonly InspectRoot _root;
    private readonly PteFormat _engine;
    private readonly bool _isEmulated;

    /// <summary>The entries below <paramref name="root"/>.</summary>
    internal InspectView(InspectRoot root)
    {
        _root = root;
        _isEmulated = root.Facts.AccessedDirty == RootAccessedDirty.Emulated && root.Facts.Kind == RootKind.Ept;
        _engine = new PmapOptions
        {
            Kind = root.Facts.Kind switch
            {
                RootKind.Ept => TableKind.Ept,
                RootKind.Npt => TableKind.Rvi,
                _ => TableKind.X86,
            },
            Levels = root.Facts.Levels,
            HardwareAd = !_isEmulated,
            Gigapages = true,
            PhysBits = root.Facts.PhysBits,
        }.ToFormat();
    }

    /// <summary>What an entry of <paramref name="level"/> is called.</summary>
    internal static string NameOf(int level) => s_names[level];

    /// <summary>The size of a leaf at <paramref name="level"/>.</summary>
    internal static string SizeOf(int level) => Sizes.Text(1UL << Paging.LevelShift(level));

    /// <summary>Takes an entry apart. Where A and D are emulated, rights, A and D are the engine's.</summary>
    internal EntryFacts Describe(ulong entry, int level)
    {
        if (!_isEmulated || !_engine.IsValid(entry)) return _root.Format.Describe(entry, level);
        // What hardware would see once the entry is accessed; then what it grants in the engine's eyes.
        EntryFacts facts = _root.Format.Describe(_engine.WithAccessed(entry), level);
        return facts with
        {
            Rights = _engine.ProtOf(entry),
            IsAccessed = (entry & _engine.Accessed) != 0,
            IsDirty = facts.Kind == EntryKind.Leaf && (entry & _engine.Modified) != 0,
        };
    }

    /// <summary>Rights as <c>rwx</c>, with <c>u</c> or <c>s</c> behind them where user mode is told apart.</summary>
    internal string Rights(Prot rights, bool isUser)
    {
        string text = ((rights & Prot.Read) != 0 ? "r" : "-") + ((rights & Prot.Write) != 0 ? "w" : "-")
            + ((rights & Prot.Execute) != 0 ? "x" : "-");
        return _root.Facts.Kind == RootKind.Ept ? text : text + (isUser ? "u" : "s");
    }

    /// <summary>Accessed and dirty as <c>AD</c>; empty where nobody keeps them.</summary>
    internal string AccessedDirty(bool isAccessed, bool isDirty) =>
        _root.IsAdKept ? (isAccessed ? "A" : "-") + (isDirty ? "D" : "-") : "";

    /// <summary>A leaf's memory type.</summary>
    internal string MemoryTypeOf(in EntryFacts leaf)
    {
        if (_root.Facts.Kind != RootKind.Ept) return "PAT" + leaf.MemoryType;
        return s_memoryTypes[leaf.MemoryType] + (leaf.IgnoresPat ? "" : "+PAT");
    }

    /// <summary>A sentence about an entry of <paramref name="level"/>.</summary>
    internal string Explain(ulong entry, int level)
    {
        EntryFacts facts = Describe(entry, level);
        var words = new List<string>();
        switch (facts.Kind)
        {
            case EntryKind.Absent:
                words.Add("not present");
                break;
            case EntryKind.Malformed:
                words.Add(_root.Facts.Kind == RootKind.Ept ? "misconfigured" : "malformed");
                words.Add(ReasonOf(in facts));
                break;
            default:
                bool isLeaf = facts.Kind == EntryKind.Leaf;
                words.Add((isLeaf ? SizeOf(level) + " page " : "table ") + Hex.Text(facts.Address));
                words.Add(Rights(facts.Rights, facts.IsUser));
                if (isLeaf) words.Add(MemoryTypeOf(in facts));
                if (facts.IsAccessed) words.Add("accessed");
                if (facts.IsDirty) words.Add("dirty");
                if (facts.IsGlobal) words.Add("global");
                break;
        }
        AddEngineWords(words, entry, in facts);
        return string.Join(", ", words);
    }

    /// <summary>Reserved bits, else a reserved memory type, else rights that hardware has no use for.</summary>
    private string ReasonOf(in EntryFacts malformed)
    {
        if (malformed.Reserved != 0) return "reserved bits " + Hex.Text(malformed.Reserved);
        string type = s_memoryTypes[malformed.MemoryType];
        if (type.StartsWith(ReservedType, System.StringComparison.Ordinal)) return "reserved memory " + type;
        return "illegal rights " + Rights(malformed.Rights, malformed.IsUser);
    }

    private void AddEngineWords(List<string> words, ulong entry, in EntryFacts facts)
    {
        ulong rest = facts.Ignored;
        if (_root.IsOurs)
        {
            Take(words, ref rest, PteFormat.Managed, "managed");
            Take(words, ref rest, PteFormat.Wired, "wired");
            Take(words, ref rest, PteFormat.WindowLock, "window locked");
            Take(words, ref rest, PteFormat.WriteParked, "W parked until written");
            if (_root.Facts.Kind == RootKind.Ept) rest &= ~_engine.NoExecute;
            if (facts.Kind == EntryKind.Table) rest &= ~_engine.Table;
        }
        if (_isEmulated)
        {
            if ((entry & _engine.ExecParked) != 0) words.Add("X parked until accessed");
            rest &= ~(_engine.Valid | _engine.Writable);
        }
        if (rest != 0) words.Add("ignored bits " + Hex.Text(rest));
    }

    private static void Take(List<string> words, ref ulong rest, ulong bit, string word)
    {
        if ((rest & bit) != 0) words.Add(word);
        rest &= ~bit;
    }
}
