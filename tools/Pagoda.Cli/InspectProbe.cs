using System.IO;
using System.Text;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>Performs accesses in order and says what each one does.</summary>
/// <remarks>
/// One line a probe: <c>ok HPA</c>, <c>violation QUALIFICATION</c>, <c>misconfig</c>, <c>npf EXITINFO1</c>,
/// <c>pf CODE</c>, <c>gp</c> or <c>outside</c>, and then the entries from the root down as they are afterwards. As JSON
/// one object a line with <c>op</c>, <c>address</c>, <c>outcome</c> (the same words), <c>hpa</c> (null unless ok),
/// <c>info</c> (qualification, EXITINFO1 or code; null where there is none) and <c>entries</c>.
/// </remarks>
internal static class InspectProbe
{
    private const int FlushChars = 1 << 16;

    /// <summary>Performs the probes; accessed and dirty bits change in the image, data does not.</summary>
    internal static void Run(
        PhysicalImage image, in WalkFormat format, Probe[] probes, bool json, TextWriter output)
    {
        SegmentedMemory memory = image.Memory(isReadOnly: false);
        var lines = new StringBuilder();
        foreach (Probe probe in probes)
        {
            Walker.Walk(ref memory, in format, probe.Address, probe.Access, probe.IsUser, WalkKind.FinalAccess,
                out WalkResult result);
            Reread(image, ref result);
            if (json) AppendJson(lines, in probe, in result);
            else AppendText(lines, in result);
            if (lines.Length < FlushChars) continue;
            output.Write(lines);
            lines.Clear();
        }
        output.Write(lines);
    }

    /// <summary>The word for an outcome.</summary>
    internal static string WordOf(WalkOutcome outcome) => outcome switch
    {
        WalkOutcome.Ok => "ok",
        WalkOutcome.Violation => "violation",
        WalkOutcome.Misconfiguration => "misconfig",
        WalkOutcome.NestedFault => "npf",
        WalkOutcome.PageFault => "pf",
        WalkOutcome.GeneralProtection => "gp",
        WalkOutcome.Outside => "outside",
        _ => throw new System.InvalidOperationException("no such outcome: " + outcome),
    };

    /// <summary>The word and its number, as in <c>ok 0x1000</c>.</summary>
    internal static string Describe(in WalkResult result)
    {
        string word = WordOf(result.Outcome);
        if (result.Outcome == WalkOutcome.Ok) return word + " " + Hex.Text(result.Hpa);
        return HasInfo(result.Outcome) ? word + " " + Hex.Text(result.Info) : word;
    }

    /// <summary>An entry met twice in one path has changed since it was first read.</summary>
    private static void Reread(PhysicalImage image, ref WalkResult result)
    {
        for (int i = 0; i < result.EntryCount; i++)
        {
            if (image.TryReadEntry(result.Addresses[i], out ulong entry)) result.Entries[i] = entry;
        }
    }

    private static bool HasInfo(WalkOutcome outcome) =>
        outcome is WalkOutcome.Violation or WalkOutcome.NestedFault or WalkOutcome.PageFault;

    private static void AppendText(StringBuilder lines, in WalkResult result)
    {
        lines.Append(Describe(in result));
        for (int i = 0; i < result.EntryCount; i++) lines.Append(' ').Append(Hex.Text(result.Entries[i]));
        lines.Append('\n');
    }

    private static void AppendJson(StringBuilder lines, in Probe probe, in WalkResult result)
    {
        lines.Append("{\"op\":\"").Append(probe.Op).Append("\",\"address\":\"").Append(Hex.Text(probe.Address));
        lines.Append("\",\"outcome\":\"").Append(WordOf(result.Outcome)).Append("\",\"hpa\":");
        AppendNumber(lines, result.Outcome == WalkOutcome.Ok, result.Hpa);
        lines.Append(",\"info\":");
        AppendNumber(lines, HasInfo(result.Outcome), result.Info);
        lines.Append(",\"entries\":[");
        for (int i = 0; i < result.EntryCount; i++)
        {
            if (i > 0) lines.Append(',');
            AppendNumber(lines, true, result.Entries[i]);
        }
        lines.Append("]}\n");
    }

    private static void AppendNumber(StringBuilder lines, bool isKnown, ulong value)
    {
        if (isKnown) lines.Append('"').Append(Hex.Text(value)).Append('"');
        else lines.Append("null");
    }
}
