using System.Runtime.CompilerServices;

namespace Pagoda.Core;

/// <summary>
/// Breaks one rule of the kernel on purpose, so that the simulator can show that it would notice. Only a build with
/// PAGODA_SIM can; in any other the question is a constant, and no trace of it is compiled.
/// </summary>
[AllocationFree]
internal static unsafe class Planted
{
    /// <summary>The slots of a guest's control and of its host's walkers: they are registered first.</summary>
    public const int HostSlots = 9;

#if PAGODA_SIM
    /// <summary>What is broken; None between runs.</summary>
    public static PlantedFault Fault { get; set; }

    /// <summary>Is this rule broken?</summary>
    public static bool Is(PlantedFault fault) => Fault == fault;

    /// <summary>A store without the release that the place needs.</summary>
    public static void PlainStore(ulong* cell, ulong value) => Shared.StorePlain(cell, value);

    /// <summary>Wakes one sleeper, whoever it is.</summary>
    public static void WakeOne(ulong* word) => Wait.WakeOne(word);
#else
    private const string NotHere = "a planted fault in a build without any";

    /// <summary>No rule is broken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Is(PlantedFault fault) => false;

    /// <summary>Never called: it stands behind <see cref="Is"/>.</summary>
    public static void PlainStore(ulong* cell, ulong value) => Invariant.Fail(NotHere);

    /// <inheritdoc cref="PlainStore"/>
    public static void WakeOne(ulong* word) => Invariant.Fail(NotHere);
#endif
}
