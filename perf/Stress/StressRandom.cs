using System;

namespace Pagoda.Perf.Stress;

/// <summary>A generator whose sequence depends on its seed alone (SplitMix64).</summary>
internal struct StressRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Below(ulong bound)
    {
        _state += 0x9E37_79B9_7F4A_7C15;
        ulong mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return Math.BigMul(mixed ^ (mixed >> 31), bound, out _);
    }

    public bool OneIn(ulong times) => Below(times) == 0;
}
