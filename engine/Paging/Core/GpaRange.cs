namespace Pagoda.Core;

/// <summary>A run of guest-physical bytes.</summary>
[method: AllocationFree]
public readonly struct GpaRange(Gpa start, ulong length)
{
    /// <summary>The first byte.</summary>
    public readonly Gpa Start = start;

    /// <summary>Bytes.</summary>
    public readonly ulong Length = length;
}
