namespace Pagoda.AddressSpace;

/// <summary>A run that was taken out of a map and is not yet free.</summary>
internal readonly struct Departure(in MapEntry entry, VmObject memory, bool last)
{
    /// <summary>The run.</summary>
    public readonly MapEntry Entry = entry;

    /// <summary>Its object.</summary>
    public readonly VmObject Memory = memory;

    /// <summary>The map shows the object nowhere else.</summary>
    public readonly bool IsLast = last;
}
