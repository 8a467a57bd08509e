using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Pagoda.Physical;

/// <summary>What can be said about arena options without asking the system.</summary>
internal static class ArenaOptionsCheck
{
    /// <summary>Refuses options that are wrong by themselves, naming the option, its value and what to do.</summary>
    /// <exception cref="ArgumentException">The message says which.</exception>
    public static void Require(ArenaOptions options)
    {
        RequirePhysBits(options.PhysBits);
        RequireBytes(options);
        RequireBacking(options);
    }

    private static void RequirePhysBits(int bits)
    {
        if (bits is >= ArenaOptions.PhysBitsMin and <= ArenaOptions.PhysBitsMax) return;
        Throw(nameof(ArenaOptions.PhysBits), "is " + Text(bits) + "; use " + Text(ArenaOptions.PhysBitsMin) + " to "
            + Text(ArenaOptions.PhysBitsMax) + " (46 is the default)");
    }

    private static void RequireBytes(ArenaOptions options)
    {
        ulong unit = options.Backing == ArenaBacking.Hugetlb ? Core.Paging.WindowBytes : Core.Paging.PageBytes;
        if (options.Bytes < ArenaOptions.BytesMin)
        {
            Throw(nameof(ArenaOptions.Bytes), "is " + Text(options.Bytes) + "; an arena has at least "
                + Text(ArenaOptions.BytesMin) + " bytes");
        }
        if (options.Bytes % unit != 0)
        {
            Throw(nameof(ArenaOptions.Bytes), "is " + Text(options.Bytes) + ", which is no multiple of " + Text(unit)
                + "; round it up to " + Text((options.Bytes / unit + 1) * unit));
        }
        ulong deviceBase = 1UL << (options.PhysBits - 1);
        if (options.Bytes > deviceBase)
        {
            Throw(nameof(ArenaOptions.Bytes), "is " + Text(options.Bytes) + ", but device memory starts at "
                + Text(deviceBase) + " with PhysBits = " + Text(options.PhysBits) + "; raise PhysBits or lower Bytes");
        }
        if (options.Bytes > ArenaOptions.BytesMax)
        {
            Throw(nameof(ArenaOptions.Bytes), "is " + Text(options.Bytes) + "; an arena has at most "
                + Text(ArenaOptions.BytesMax) + " bytes, use several");
        }
    }

    private static void RequireBacking(ArenaOptions options)
    {
        if (options.Backing > ArenaBacking.Caller)
        {
            Throw(nameof(ArenaOptions.Backing), "is " + Text((byte)options.Backing) + ", which names no backing");
        }
        bool brought = options.CallerMemory != 0;
        if (options.Backing == ArenaBacking.Caller && !brought)
        {
            Throw(nameof(ArenaOptions.CallerMemory), "is null; set it to Bytes bytes of your memory, or choose a "
                + "Backing other than Caller");
        }
        if (options.Backing != ArenaBacking.Caller && brought)
        {
            Throw(nameof(ArenaOptions.CallerMemory), "is set, but only Backing = Caller uses it");
        }
        if (((ulong)options.CallerMemory & Core.Paging.PageOffsetMask) != 0)
        {
            Throw(nameof(ArenaOptions.CallerMemory), "is 0x" + options.CallerMemory.ToString("x", null)
                + "; it must lie on a 4 KiB boundary, better on one of 2 MiB");
        }
    }

    private static string Text(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    [DoesNotReturn]
    private static void Throw(string option, string text) =>
        throw new ArgumentException("ArenaOptions." + option + " " + text + ".", option);
}
