using System;
using System.Buffers;
using System.Text.Json;
using Pagoda.Diagnostics;
using Pagoda.Machine.Replay;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>A replay's numbers as one JSON object. Its names are a contract with whoever reads it.</summary>
/// <remarks>Two replays of a trace with the same options agree in everything but the object "process".</remarks>
internal static class ReplayReport
{
    private const int Digits = 6;
    private static readonly JsonWriterOptions s_options = new() { Indented = true };

    /// <summary>The object, in UTF-8, with a line feed at its end.</summary>
    internal static ReadOnlyMemory<byte> ToJson(ReplayOptions options, ReplayResult result)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("exit", NameOf(result.End));
            WriteOptions(json, options);
            WriteTrace(json, result);
            WriteTlb(json, result);
            WriteCounters(json, result);
            WriteWorkingSet(json, result);
            json.WriteStartObject("process");
            json.WriteNumber("elapsedSeconds", Math.Round(result.Elapsed.TotalSeconds, Digits));
            json.WriteNumber("millionAccessesPerSecond", Math.Round(result.AccessesPerMicrosecond, 3));
            json.WriteNumber("managedBytesAllocated", result.ManagedBytesAllocated);
            json.WriteNumber("gcCollections", result.GcCollections);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>The word for a way to end.</summary>
    internal static string NameOf(ReplayEnd end) => end switch
    {
        ReplayEnd.Complete => "complete",
        ReplayEnd.MemoryTooSmall => "memory",
        ReplayEnd.ContentWrong => "content",
        _ => "error",
    };

    private static void WriteOptions(Utf8JsonWriter json, ReplayOptions options)
    {
        json.WriteString("tables", options.Tables == TableKind.Ept ? "ept" : "npt");
        json.WriteBoolean("hardwareAd", options.HardwareAd);
        json.WriteBoolean("superpages", options.Superpages);
        json.WriteString("policy", options.Policy == SuperpagePolicy.Superpage ? "superpage" : "fixed");
        json.WriteNumber("memoryBytes", options.MemoryBytes);
        json.WriteNumber("residentBytes", options.ResidentBytes);
        json.WriteNumber("seed", options.Seed);
    }

    private static void WriteTrace(Utf8JsonWriter json, ReplayResult result)
    {
        json.WriteNumber("accesses", result.AccessCount);
        json.WriteNumber("fetches", result.Accesses[(int)TraceKind.Fetch]);
        json.WriteNumber("loads", result.Accesses[(int)TraceKind.Load]);
        json.WriteNumber("stores", result.Accesses[(int)TraceKind.Store]);
        json.WriteNumber("modifies", result.Accesses[(int)TraceKind.Modify]);
        json.WriteNumber("skippedLines", result.SkippedLines);
        json.WriteNumber("footprintPages", result.FootprintPages);
        json.WriteString("contentChecksum", Hex.Wide(result.ContentChecksum));
    }

    private static void WriteTlb(Utf8JsonWriter json, ReplayResult result)
    {
        json.WriteNumber("tlbLookups", result.TlbLookups);
        json.WriteNumber("tlbHits", result.TlbHits);
        json.WriteNumber("tlbSecondLevelHits", result.TlbSecondHits);
        json.WriteNumber("tlbHitRate", Math.Round(result.TlbHitRate, Digits));
        json.WriteNumber("tlbFlushes", result.TlbFlushes);
        json.WriteNumber("walks", result.Walks);
    }

    private static void WriteCounters(Utf8JsonWriter json, ReplayResult result)
    {
        GuestCounters counters = result.Counters;
        json.WriteNumber("nestedFaults", counters.NestedFaults);
        json.WriteNumber("refaults", result.Refaults);
        json.WriteNumber("spuriousFaults", counters.SpuriousFaults);
        json.WriteNumber("accessedEmulations", counters.AccessedEmulations);
        json.WriteNumber("dirtyEmulations", counters.DirtyEmulations);
        json.WriteNumber("superpageAccessedEmulations", counters.SuperpageAccessedEmulations);
        json.WriteNumber("invalidations", counters.Invalidations);
        json.WriteNumber("residentPages", counters.ResidentPages);
        json.WriteNumber("tablePages", counters.TablePages);
        PressureCounters.Write(json, counters);
    }

    private static void WriteWorkingSet(Utf8JsonWriter json, ReplayResult result)
    {
        json.WriteStartArray("workingSet");
        foreach (WorkingSetPoint point in result.WorkingSet)
        {
            json.WriteStartObject();
            json.WriteNumber("accesses", point.Accesses);
            json.WriteNumber("windows", point.Windows);
            json.WriteNumber("meanPages", Math.Round(point.MeanPages, 2));
            json.WriteNumber("maxPages", point.MaxPages);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
