using System.Numerics;
using Pagoda.Core;

namespace Pagoda.Machine.Apic;

/// <summary>A set of the 256 interrupt vectors, as a local APIC shows it: eight registers of 32 bits.</summary>
[AllocationFree]
internal unsafe struct VectorSet
{
    private const int WordCount = 8;
    private fixed uint _words[WordCount];

    /// <summary>The highest vector; -1 for none.</summary>
    public readonly int Highest
    {
        get
        {
            for (int i = WordCount - 1; i >= 0; i--)
            {
                if (_words[i] != 0) return i * 32 + BitOperations.Log2(_words[i]);
            }
            return -1;
        }
    }

    /// <summary>Vectors 32 * <paramref name="index"/> and up, lowest first.</summary>
    public readonly uint Word(int index) => _words[index];

    /// <summary>Adds a vector.</summary>
    public void Add(int vector) => _words[vector >> 5] |= 1U << (vector & 31);

    /// <summary>Takes a vector out.</summary>
    public void Remove(int vector) => _words[vector >> 5] &= ~(1U << (vector & 31));

    /// <summary>Takes all out.</summary>
    public void Clear()
    {
        for (int i = 0; i < WordCount; i++) _words[i] = 0;
    }
}
