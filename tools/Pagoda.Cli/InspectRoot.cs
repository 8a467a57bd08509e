using System;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>A tree of tables, ready to be walked.</summary>
/// <param name="Facts">What is known of it.</param>
/// <param name="Format">What hardware does with it.</param>
/// <param name="IsOurs">The engine built it, so the bits that hardware ignores have the engine's meaning.</param>
internal sealed record InspectRoot(CoreRoot Facts, WalkFormat Format, bool IsOurs)
{
    private const ulong TableOffsetMask = 0xFFF;
    private const ulong EptpWriteBack = 6;
    private const int EptpLevelsShift = 3;
    private const ulong EptpLevelsMask = 7;
    private const ulong EptpAccessedDirty = 1UL << 6;
    private const ulong Cr0Paging = 1UL << 31;
    private const ulong Cr0WriteProtect = 1UL << 16;
    private const ulong Cr4PhysicalAddressExtension = 1UL << 5;
    private const ulong Cr4FiveLevels = 1UL << 12;
    private const ulong Cr4Smep = 1UL << 20;
    private const ulong Cr4Smap = 1UL << 21;
    private const ulong EferLongMode = 1UL << 8 | 1UL << 10;
    private const ulong EferNoExecute = 1UL << 11;
    private const int LevelsDefault = 4;

    /// <summary>One line: format, register, levels and who keeps the accessed and dirty bits.</summary>
    internal string Title
    {
        get
        {
            (string kind, string register) = Facts.Kind switch
            {
                RootKind.Ept => ("EPT", "EPTP"),
                RootKind.Npt => ("NPT", "nCR3"),
                _ => ("x86", "CR3"),
            };
            string keeper = !IsAdKept ? "no accessed and dirty bits"
                : Facts.AccessedDirty == RootAccessedDirty.Emulated ? "emulated accessed and dirty bits"
                : "accessed and dirty bits";
            string guest = Facts.Guest.Length == 0 ? "" : "guest " + Facts.Guest + ": ";
            return guest + kind + " tables at " + Hex.Text(Format.Root) + " (" + register + " "
                + Hex.Text(Facts.Register) + "), " + Facts.Levels + " levels, " + Facts.PhysBits + " physical bits, "
                + keeper;
        }
    }

    /// <summary>Somebody keeps accessed and dirty bits: hardware or the engine.</summary>
    internal bool IsAdKept => Format.HasAccessedDirty || Facts.AccessedDirty == RootAccessedDirty.Emulated;

    /// <summary>The tables that the options name in a flat image.</summary>
    /// <exception cref="CliException">The root register cannot be one.</exception>
    internal static InspectRoot FromOptions(InspectOptions options)
    {
        RootKind kind = options.Format!.Value;
        ulong register = options.Root!.Value;
        int levels = options.Levels ?? LevelsDefault;
        if (kind == RootKind.Ept)
        {
            register = CompleteEptp(register, options);
            levels = LevelsOf(register);
        }
        else if (register >> options.PhysBits != 0)
        {
            throw new CliException("--root: " + Hex.Text(register) + " has bits above bit " + (options.PhysBits - 1)
                + "; give a table address that the processor can have, or a larger --phys-bits.");
        }
        var facts = new CoreRoot("", kind, register, levels, options.PhysBits, RootAccessedDirty.Hardware);
        return new InspectRoot(facts, FormatOf(facts, options), IsOurs: false);
    }

    /// <summary>The tables that a core's note names.</summary>
    /// <exception cref="CliException">The note's register cannot be one.</exception>
    internal static InspectRoot FromNote(CoreRoot facts, InspectOptions options)
    {
        bool isValid = facts.Kind == RootKind.Ept
            ? IsValidEptp(facts.Register, facts.PhysBits) && LevelsOf(facts.Register) == facts.Levels
            : facts.Register >> facts.PhysBits == 0;
        if (isValid) return new InspectRoot(facts, FormatOf(facts, options), IsOurs: true);
        throw new CliException("FILE: " + options.File + " names the root " + Hex.Text(facts.Register)
            + ", which no processor accepts; dump the guest again.");
    }

    private static ulong CompleteEptp(ulong register, InspectOptions options)
    {
        if ((register & TableOffsetMask) == 0)
        {
            ulong length = (ulong)(options.Levels ?? LevelsDefault) - 1;
            register |= EptpWriteBack | length << EptpLevelsShift | EptpAccessedDirty;
        }
        if (options.NoAccessedDirty) register &= ~EptpAccessedDirty;
        if (!IsValidEptp(register, options.PhysBits))
        {
            throw new CliException("--root: " + Hex.Text(register) + " is no EPTP: give a table address below 2^"
                + options.PhysBits + " with type 0 or 6 in bits 2:0, walk length 3 or 4 in bits 5:3 and bits 11:7"
                + " clear, or a bare table address.");
        }
        if (options.Levels is int levels && levels != LevelsOf(register))
        {
            throw new CliException("--levels: " + levels + " contradicts --root " + Hex.Text(register)
                + ", whose bits 5:3 say " + LevelsOf(register) + "; leave --levels out.");
        }
        return register;
    }

    private static bool IsValidEptp(ulong register, int physBits) =>
        WalkFormat.IsValidEptp(register, physBits, accessedDirty: true, fiveLevels: true);

    private static int LevelsOf(ulong eptp) => (int)(eptp >> EptpLevelsShift & EptpLevelsMask) + 1;

    private static WalkFormat FormatOf(CoreRoot facts, InspectOptions options)
    {
        switch (facts.Kind)
        {
            case RootKind.Ept:
                return WalkFormat.ForEpt(facts.Register, facts.PhysBits);
            case RootKind.Npt:
                return WalkFormat.ForNpt(facts.Register, facts.PhysBits, facts.Levels, !options.NoNoExecute);
            case RootKind.X86:
                ulong cr0 = Cr0Paging | (options.NoWriteProtect ? 0 : Cr0WriteProtect);
                ulong cr4 = Cr4PhysicalAddressExtension | (facts.Levels > LevelsDefault ? Cr4FiveLevels : 0)
                    | (options.Smep ? Cr4Smep : 0) | (options.Smap ? Cr4Smap : 0);
                ulong efer = EferLongMode | (options.NoNoExecute ? 0 : EferNoExecute);
                return WalkFormat.ForX86(cr0, facts.Register, cr4, efer, facts.PhysBits);
            default:
                throw new InvalidOperationException("no such kind: " + facts.Kind);
        }
    }
}
