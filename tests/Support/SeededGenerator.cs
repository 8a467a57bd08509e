using System;

namespace Pagoda.Tests.Support;

/// <summary>
/// A small random generator (SplitMix64) whose sequence depends on its seed alone, on every machine and runtime.
/// </summary>
/// <remarks>
/// Print it (<see cref="ToString"/>) in every failure message: it tells the seed and how many values were drawn, which
/// is enough to run the failure again.
/// </remarks>
public sealed class SeededGenerator
{
    private const ulong Golden = 0x9E37_79B9_7F4A_7C15;
    private readonly ulong _seed;
    private ulong _state;
    private long _drawn;

    /// <summary>Starts the sequence that belongs to the seed.</summary>
    public SeededGenerator(ulong seed)
    {
        _seed = seed;
        _state = seed;
    }

    /// <summary>Sixty-four random bits.</summary>
    public ulong Next()
    {
        _drawn++;
        _state += Golden;
        ulong mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>A number from 0 up to, not including, <paramref name="bound"/>, which is at least 1.</summary>
    public ulong Below(ulong bound)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bound);
        return Math.BigMul(Next(), bound, out _);
    }

    /// <summary>An index from 0 up to, not including, <paramref name="bound"/>, which is at least 1.</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Below((ulong)bound);
    }

    /// <summary>A number from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    /// <summary>True once in <paramref name="times"/> draws, on average.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    /// <summary>One of the given values.</summary>
    public T Pick<T>(ReadOnlySpan<T> values) => values[Below(values.Length)];

    /// <summary>Fills the span with random bytes.</summary>
    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)Next();
    }

    /// <summary>Puts the values into a random order.</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int other = Below(i + 1);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }

    /// <summary>The seed and the number of values drawn so far, for failure messages.</summary>
    public override string ToString() => "seed 0x" + _seed.ToString("x", null) + ", " + _drawn + " values drawn";
}
