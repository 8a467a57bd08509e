using Pagoda.PageTables;

namespace Pagoda.Tests.Oracle;

/// <summary>One thing that an emulator does otherwise than the manuals say.</summary>
/// <param name="Name">A line for reports, and the reason.</param>
/// <param name="Bend">Makes of the walker's prediction the emulator's; false when it has no say in the vector.</param>
/// <param name="Ignored">Bits of an entry that the emulator does not look at, by entry and level; or null.</param>
internal sealed record Quirk(string Name, Quirk.Bender? Bend, Quirk.Mask? Ignored = null)
{
    public delegate bool Bender(in WalkVector v, ref Prediction p);

    public delegate ulong Mask(in WalkVector v, ulong entry, int level);

    private const ulong PageSize = 1 << 7;
    private const ulong X86Accessed = 1 << 5;
    private const ulong Present = 1;
    private const ulong InfoPresent = 1;
    private const ulong InfoRead = 1;
    private const ulong InfoWrite = 2;
    private const ulong InfoReserved = 8;
    private const ulong InfoFetch = 16;
    private const ulong InfoReadable = 1 << 3;
    private const ulong EptBit12 = 1 << 12;
    private const ulong NptBit8 = 1 << 8;

    /// <summary>Every quirk that is known, each once.</summary>
    public static readonly Quirk[] All =
    [
        new("QEMU reports a reserved bit without P (manuals: P is 0 for an entry that is not present alone)",
            QemuReservedLacksPresent),
        new("QEMU makes a read-modify-write a load and then a store: the load's fault is a read's", QemuSplitsModify),
        new("QEMU sets accessed bits on the way down, even if the walk then faults (manuals: allowed)", QemuSetsEarly),
        new("Bochs reports a guest page-table access with EPT's flags on as a write (SDM: read and write)",
            BochsTableIsWrite),
        new("Bochs reports a read-modify-write's EPT violation as a write (SDM: both bits may be set)",
            BochsModifyIsWrite),
        new("Bochs, EPT's flags off: to set a guest entry's accessed bit it asks for the right to read alone",
            BochsSetsWithoutWrite),
        new("Bochs, SVM: EXITINFO1 tells fetches apart even with the host's NXE off", BochsTellsFetch),
        new("Bochs does not check bit 12 of a 2 MiB or 1 GiB EPT leaf (SDM: reserved)", null,
            (in WalkVector v, ulong entry, int level) =>
                v.Group.Kind == VectorKind.Ept && level is 2 or 3 && (entry & PageSize) != 0 ? EptBit12 : 0),
        new("Both take bit 8 of a nested PML5E, PML4E or PDPTE that is no leaf (APM: must be zero)", null,
            (in WalkVector v, ulong entry, int level) =>
                v.Group.Kind == VectorKind.Npt && (level > 3 || (level == 3 && (entry & PageSize) == 0)) ? NptBit8 : 0),
    ];

    private static bool QemuReservedLacksPresent(in WalkVector v, ref Prediction p)
    {
        if (v.Group.Engine != VectorEngine.Qemu || (p.Info & InfoReserved) == 0) return false;
        p.Info &= ~InfoPresent;
        return true;
    }

    // Whether the load or the store faulted is not known here: either is taken.
    private static bool QemuSplitsModify(in WalkVector v, ref Prediction p)
    {
        bool isModify = v.Group.Engine == VectorEngine.Qemu && v.Op == VectorOp.ReadModifyWrite;
        if (!isModify || p.Outcome == WalkOutcome.Ok || ((p.Info ^ v.Info) & InfoWrite) == 0) return false;
        p.Info ^= InfoWrite;
        return true;
    }

    private static bool QemuSetsEarly(in WalkVector v, ref Prediction p)
    {
        if (v.Group.Engine != VectorEngine.Qemu || p.Outcome == WalkOutcome.Ok) return false;
        bool isSet = false;
        for (int i = 0; i < v.PathLength; i++)
        {
            bool isEarly = (v.Before[i] & Present) != 0 && v.Changed[i] == X86Accessed;
            if (!isEarly) continue;
            p.Changed[i] = X86Accessed;
            isSet = true;
        }
        return isSet;
    }

    private static bool BochsTableIsWrite(in WalkVector v, ref Prediction p)
    {
        bool isTable = v.IsGuestTable && v.Group.AccessedDirty && p.Outcome == WalkOutcome.Violation;
        if (!isTable) return false;
        p.Info &= ~InfoRead;
        return true;
    }

    private static bool BochsModifyIsWrite(in WalkVector v, ref Prediction p)
    {
        if (v.Op != VectorOp.ReadModifyWrite || p.Outcome != WalkOutcome.Violation) return false;
        p.Info &= ~InfoRead;
        return true;
    }

    private static bool BochsSetsWithoutWrite(in WalkVector v, ref Prediction p)
    {
        bool isSetting = v.Op == VectorOp.GuestTableSetsAccessed && !v.Group.AccessedDirty
            && p.Outcome == WalkOutcome.Violation;
        if (!isSetting) return false;
        p.Info &= ~InfoWrite;
        if ((p.Info & InfoReadable) == 0) return true;
        p = new Prediction { Outcome = WalkOutcome.Ok, Hpa = v.Hpa };
        return true;
    }

    private static bool BochsTellsFetch(in WalkVector v, ref Prediction p)
    {
        bool isFetch = v.Group.Kind == VectorKind.Npt && v.Group.Engine == VectorEngine.Bochs
            && v.Op == VectorOp.Execute && p.Outcome == WalkOutcome.NestedFault;
        if (!isFetch) return false;
        p.Info |= InfoFetch;
        return true;
    }
}
