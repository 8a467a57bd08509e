using System;
using System.Buffers.Binary;
using System.Numerics;
using Pagoda.Core;
using Pagoda.Machine.Cpu;

namespace Pagoda.Machine;

/// <summary>What CPUID says: a processor of our own make, with what the software vCPU really executes.</summary>
/// <remarks>
/// Intel SDM volume 2, CPUID; AMD64 APM volume 3, appendix E. No cache, no x2APIC, no vector extension is reported, so
/// a guest uses none. All processors are cores of one package. A leaf beyond the last answers zeros.
/// </remarks>
[AllocationFree]
public static class CpuidModel
{
    /// <summary>Width of a guest-physical address.</summary>
    public const int PhysBits = 46;

    private const uint BasicLast = TopologyLeaf;
    private const uint FeatureLeaf = 1;
    private const uint TopologyLeaf = 0xB;
    private const uint ExtendedFirst = 0x8000_0000;
    private const uint ExtendedLast = 0x8000_0008;
    private const uint BrandFirst = 0x8000_0002;
    private const uint BrandLast = 0x8000_0004;
    private const int LinearBits = 48;

    // Family 6, so that no guest takes it for a processor without CPUID's later leaves; no model of anybody's.
    private const uint Signature = 0x600;
    private const uint FlushLineBytes = 64 / 8 << 8;

    private const uint BasicFeatures = 1u << 0      // x87
        | 1u << 3                                   // 4 MiB pages
        | 1u << 4                                   // time-stamp counter
        | 1u << 5                                   // RDMSR, WRMSR
        | 1u << 6                                   // PAE
        | 1u << 8                                   // CMPXCHG8B
        | 1u << 9                                   // APIC
        | 1u << 13                                  // global pages
        | 1u << 15                                  // CMOV
        | 1u << 19                                  // CLFLUSH
        | 1u << 24;                                 // FXSAVE

    private const uint ManyProcessors = 1u << 28;   // the number of processors in a package is valid

    private const uint MoreBasicFeatures = 1u << 13 // CMPXCHG16B
        | 1u << 23;                                 // POPCNT

    private const uint ExtendedFeatures = 1u << 20  // no-execute
        | 1u << 27                                  // RDTSCP
        | 1u << 29;                                 // long mode

    private const uint MoreExtendedFeatures = 1u << 0   // LAHF in 64-bit mode
        | 1u << 5;                                      // LZCNT

    private static ReadOnlySpan<byte> Vendor => "PagodaEngine"u8;

    // Three leaves of 16 bytes, filled up with zeros.
    private static ReadOnlySpan<byte> Brand =>
        "Pagoda software vCPU\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"u8;

    /// <summary>Answers a leaf (EAX) and subleaf (ECX).</summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="subleaf">The subleaf; only the topology's leaf has them.</param>
    /// <param name="apicId">The asking processor's APIC identity.</param>
    /// <param name="processors">How many processors the machine has, 1 to 255.</param>
    /// <param name="result">The four registers.</param>
    public static void Answer(uint leaf, uint subleaf, uint apicId, int processors, out CpuidResult result)
    {
        result = default;
        switch (leaf)
        {
            case 0:
                result.Eax = BasicLast;
                result.Ebx = Word(Vendor, 0);
                result.Edx = Word(Vendor, 1);
                result.Ecx = Word(Vendor, 2);
                break;
            case FeatureLeaf:
                result.Eax = Signature;
                result.Ebx = FlushLineBytes | (uint)processors << 16 | apicId << 24;
                result.Ecx = MoreBasicFeatures;
                result.Edx = BasicFeatures | (processors > 1 ? ManyProcessors : 0);
                break;
            case TopologyLeaf:
                AnswerTopology(subleaf, apicId, processors, out result);
                break;
            case ExtendedFirst:
                result.Eax = ExtendedLast;
                break;
            case ExtendedFirst + 1:
                result.Ecx = MoreExtendedFeatures;
                result.Edx = ExtendedFeatures;
                break;
            case >= BrandFirst and <= BrandLast:
                int first = (int)(leaf - BrandFirst) * 4;
                result.Eax = Word(Brand, first);
                result.Ebx = Word(Brand, first + 1);
                result.Ecx = Word(Brand, first + 2);
                result.Edx = Word(Brand, first + 3);
                break;
            case ExtendedLast:
                result.Eax = PhysBits | LinearBits << 8;
                break;
            default:
                break;
        }
    }

    // Level 0: one thread a core. Level 1: all cores of the package.
    private static void AnswerTopology(uint level, uint apicId, int processors, out CpuidResult result)
    {
        result = default;
        result.Ecx = level & byte.MaxValue;
        result.Edx = apicId;
        if (level > 1) return;
        // How many bits of an APIC identity tell what is within the level: enough for all processors.
        if (level == 1) result.Eax = (uint)BitOperations.Log2((uint)(2 * processors - 1));
        result.Ebx = level == 0 ? 1 : (uint)processors;
        result.Ecx |= (level + 1) << 8;
    }

    private static uint Word(ReadOnlySpan<byte> text, int index) =>
        BinaryPrimitives.ReadUInt32LittleEndian(text[(index * sizeof(uint))..]);
}
