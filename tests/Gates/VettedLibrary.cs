using System;
using System.Collections.Generic;

namespace Pagoda.Tests.Gates;

/// <summary>The library types that allocation-free code may call, because they allocate nothing.</summary>
internal static class VettedLibrary
{
    // The whole type, and types nested in it.
    private static readonly HashSet<string> s_types = new(StringComparer.Ordinal)
    {
        "System.Span",
        "System.ReadOnlySpan",
        "System.MemoryExtensions",
        "System.Math",
        "System.BitConverter",
        "System.Index",
        "System.Range",
        "System.Nullable",
        "System.ValueTuple",
        "System.UInt128",
        "System.Numerics.BitOperations",
        "System.Buffers.Binary.BinaryPrimitives",
        "System.Runtime.CompilerServices.Unsafe",
        "System.Runtime.CompilerServices.RuntimeHelpers",
        "System.Runtime.InteropServices.MemoryMarshal",
        "System.Runtime.InteropServices.NativeMemory",
        "System.Threading.Interlocked",
        "System.Threading.Volatile",
    };

    // Vector code: every type of these namespaces.
    private static readonly string[] s_namespaces = ["System.Runtime.Intrinsics"];

    // Single members of types that also allocate.
    private static readonly HashSet<string> s_members = new(StringComparer.Ordinal)
    {
        "System.Buffer.MemoryCopy",
        "System.Object..ctor",
        "System.String.get_Length",
        "System.String.get_Chars",
        "System.Diagnostics.Stopwatch.GetTimestamp",
        "System.Diagnostics.Tracing.EventSource.IsEnabled",
        "System.Runtime.InteropServices.Marshal.GetLastPInvokeError",
        "System.Runtime.InteropServices.Marshal.SetLastPInvokeError",
        "System.Runtime.InteropServices.Marshal.GetLastSystemError",
        "System.Runtime.InteropServices.Marshal.SetLastSystemError",
        "System.Threading.Thread.SpinWait",
        "System.Threading.Thread.Yield",
        "System.Threading.Thread.Sleep",
    };

    // What the built-in numbers do that is not text.
    private static readonly HashSet<string> s_numberMembers = new(StringComparer.Ordinal)
    {
        "Equals", "CompareTo", "GetHashCode", "Min", "Max", "Clamp", "Abs", "Sign", "Log2", "PopCount",
        "LeadingZeroCount", "TrailingZeroCount", "RotateLeft", "RotateRight", "IsPow2", "IsNegative", "IsNaN",
        "IsInfinity", "IsFinite", "IsSubnormal", "DivRem", "BigMul", "CopySign",
    };

    /// <summary>Whether a member of a library type is vetted.</summary>
    public static bool Allows(Type type, string member)
    {
        if (type.IsPrimitive) return s_numberMembers.Contains(member);
        string name = IlReader.NameOf(type);
        if (s_types.Contains(name) || s_members.Contains(name + "." + member)) return true;
        foreach (string space in s_namespaces)
        {
            if (name.StartsWith(space + ".", StringComparison.Ordinal)) return true;
        }
        return type.DeclaringType is not null && Allows(type.DeclaringType, member);
    }
}
