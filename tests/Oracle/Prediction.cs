using Pagoda.PageTables;

namespace Pagoda.Tests.Oracle;

/// <summary>What the walker made of a vector, in the vector's terms, so that quirks can bend it.</summary>
internal struct Prediction
{
    public WalkOutcome Outcome;
    public ulong Info;
    public ulong Hpa;
    public WalkWords Changed;

    /// <summary>Walks the tables of one vector with the access and the modes of another.</summary>
    public static Prediction Of(in WalkVector access, in WalkVector tables, PathMemory memory)
    {
        WalkWords addresses = memory.PutPath(in tables);
        WalkFormat format = access.Format();
        PathMemory.View view = memory.Memory;
        WalkKind kind = access.IsGuestTable ? WalkKind.GuestPageTable : WalkKind.FinalAccess;
        Walker.Walk(ref view, in format, access.Address, access.Access, access.IsUser, kind, out WalkResult r);
        var p = new Prediction { Outcome = r.Outcome, Info = r.Info, Hpa = r.Hpa };
        for (int i = 0; i < tables.PathLength; i++) p.Changed[i] = memory.At(addresses[i]) ^ tables.Before[i];
        return p;
    }

    /// <summary>Whether the emulator did the same.</summary>
    public readonly bool Matches(in WalkVector v)
    {
        if (Outcome != v.Outcome) return false;
        if (Info != v.Info) return false;
        bool isHpaKnown = v.Outcome == WalkOutcome.Ok && (v.Modes & VectorModes.Confirmed) != 0;
        if (isHpaKnown && Hpa != v.Hpa) return false;
        for (int i = 0; i < v.PathLength; i++)
        {
            if (Changed[i] != v.Changed[i]) return false;
        }
        return true;
    }

    public override readonly string ToString()
    {
        string changed = "";
        for (int i = 0; i < 5; i++) changed += $" {Changed[i]:x}";
        return $"{Outcome} info 0x{Info:x} hpa 0x{Hpa:x}, changed{changed}";
    }
}
