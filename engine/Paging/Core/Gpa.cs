using System.Globalization;

namespace Pagoda.Core;

/// <summary>A guest-physical byte address.</summary>
[method: AllocationFree]
public readonly struct Gpa(ulong value)
{
    /// <summary>The address in bytes.</summary>
    public readonly ulong Value = value;

    /// <summary>The address in hexadecimal, as errors print it.</summary>
    public override string ToString() => "GPA 0x" + Value.ToString("x", CultureInfo.InvariantCulture);
}
