using System;
using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pagoda.Diagnostics;
using Pagoda.Machine;

namespace Pagoda.Cli;

/// <summary>A run's numbers as one JSON object. Its names are a contract with whoever reads it.</summary>
internal static class RunReport
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The object, in UTF-8, with a line feed at its end.</summary>
    internal static ReadOnlyMemory<byte> ToJson(RunResult result)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("exit", NameOf(result.End));
            json.WriteNumber("elapsedSeconds", Math.Round(result.Elapsed.TotalSeconds, 6));
            json.WriteNumber("guestInstructions", result.GuestInstructions);
            json.WriteNumber("cpus", result.ProcessorInstructions.Length);
            json.WriteStartArray("vcpuInstructions");
            foreach (ulong instructions in result.ProcessorInstructions.Span) json.WriteNumberValue(instructions);
            json.WriteEndArray();
            json.WriteNumber("guestMips", Math.Round(result.GuestMips, 3));
            json.WriteString("console", Encoding.UTF8.GetString(result.ConsoleTail.Span));
            WriteCounters(json, result);
            json.WriteNumber("managedBytesAllocated", result.ManagedBytesAllocated);
            json.WriteNumber("gcCollections", result.GcCollections);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>The word for a way to end.</summary>
    internal static string NameOf(RunEnd end) => end switch
    {
        RunEnd.Until => "until",
        RunEnd.Halt => "halt",
        RunEnd.Timeout => "timeout",
        RunEnd.TripleFault => "triple-fault",
        _ => "error",
    };

    private static void WriteCounters(Utf8JsonWriter json, RunResult result)
    {
        GuestCounters counters = result.Counters;
        json.WriteNumber("nestedFaults", counters.NestedFaults);
        json.WriteNumber("spuriousFaults", counters.SpuriousFaults);
        json.WriteNumber("accessedEmulations", counters.AccessedEmulations);
        json.WriteNumber("dirtyEmulations", counters.DirtyEmulations);
        json.WriteNumber("superpageAccessedEmulations", counters.SuperpageAccessedEmulations);
        json.WriteNumber("adEmulationSuperpagePromotions", counters.AdEmulationSuperpagePromotions);
        json.WriteNumber("mmioExits", result.MmioExits);
        json.WriteNumber("ioExits", result.IoExits);
        json.WriteNumber("invalidations", counters.Invalidations);
        json.WriteNumber("kicks", counters.Kicks);
        json.WriteNumber("holds", counters.Holds);
        json.WriteNumber("releases", counters.Releases);
        json.WriteNumber("residentPages", counters.ResidentPages);
        json.WriteNumber("wiredPages", counters.WiredPages);
        json.WriteNumber("tablePages", counters.TablePages);
        PressureCounters.Write(json, counters);
    }
}
