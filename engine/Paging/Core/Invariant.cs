using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Pagoda.Core;

/// <summary>The two strengths of check. A condition has no side effects.</summary>
[AllocationFree]
public static class Invariant
{
    /// <summary>Checked in Debug builds only. For hot paths.</summary>
    /// <exception cref="InvariantException">The condition is false.</exception>
    [Conditional("DEBUG")]
    public static void Assert([DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        if (!condition) Fail(text);
    }

    /// <summary>Checked in every build. For start-up and for state whose corruption would reach a guest.</summary>
    /// <exception cref="InvariantException">The condition is false.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Require([DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        if (!condition) Fail(text);
    }

    /// <summary>Reports code that must be unreachable.</summary>
    /// <exception cref="InvariantException">Always.</exception>
    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Fail(string text) => throw new InvariantException(text);
}
