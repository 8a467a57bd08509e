using System;
using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Pagoda.Machine.Dump;

/// <summary>The descriptor of a core's <c>PAGODA</c> note, as JSON in UTF-8.</summary>
/// <remarks>
/// <code>
/// {"version":1,"roots":[{"guest":"...","kind":"ept|npt|x86","register":"0x105e","levels":4,"physBits":46,
///   "accessedDirty":"hardware|emulated"}]}
/// </code>
/// </remarks>
public static class CoreNote
{
    private const int Version = 1;
    private static readonly string[] s_kinds = ["ept", "npt", "x86"];
    private static readonly string[] s_accessedDirty = ["hardware", "emulated"];

    /// <summary>The JSON of <paramref name="roots"/>.</summary>
    public static ReadOnlyMemory<byte> Write(ReadOnlySpan<CoreRoot> roots)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteStartArray("roots");
        foreach (CoreRoot root in roots)
        {
            json.WriteStartObject();
            json.WriteString("guest", root.Guest);
            json.WriteString("kind", s_kinds[(int)root.Kind]);
            json.WriteString("register", "0x" + root.Register.ToString("x", CultureInfo.InvariantCulture));
            json.WriteNumber("levels", root.Levels);
            json.WriteNumber("physBits", root.PhysBits);
            json.WriteString("accessedDirty", s_accessedDirty[(int)root.AccessedDirty]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>The roots that <paramref name="descriptor"/> names; false when it is not what we write.</summary>
    /// <exception cref="JsonException">It is text, but not JSON.</exception>
    public static bool TryRead(ReadOnlySpan<byte> descriptor, out CoreRoot[] roots)
    {
        roots = [];
        // Invalid text is no JSON either, but is found too late, as an error of another type.
        if (!Utf8.IsValid(descriptor)) return false;
        var reader = new Utf8JsonReader(descriptor);
        if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? document)) return false;
        using (document)
        {
            JsonElement top = document.RootElement;
            if (top.ValueKind != JsonValueKind.Object) return false;
            if (!TryGetNumber(top, "version", Version, Version, out _)) return false;
            if (!top.TryGetProperty("roots", out JsonElement list)) return false;
            if (list.ValueKind != JsonValueKind.Array) return false;
            var read = new CoreRoot[list.GetArrayLength()];
            int count = 0;
            foreach (JsonElement element in list.EnumerateArray())
            {
                if (!TryReadRoot(element, out CoreRoot? root)) return false;
                read[count++] = root!;
            }
            roots = read;
            return true;
        }
    }

    private static bool TryReadRoot(JsonElement element, out CoreRoot? root)
    {
        root = null;
        if (element.ValueKind != JsonValueKind.Object) return false;
        if (!TryGetText(element, "guest", out string guest)) return false;
        if (!TryGetText(element, "kind", out string kindWord)) return false;
        if (!TryGetText(element, "register", out string registerText)) return false;
        if (!TryGetText(element, "accessedDirty", out string accessedDirtyWord)) return false;
        if (!TryGetNumber(element, "levels", 4, 5, out int levels)) return false;
        if (!TryGetNumber(element, "physBits", 32, 52, out int physBits)) return false;
        int kind = Array.IndexOf(s_kinds, kindWord);
        int accessedDirty = Array.IndexOf(s_accessedDirty, accessedDirtyWord);
        if (kind < 0) return false;
        if (accessedDirty < 0) return false;
        if (!registerText.StartsWith("0x", StringComparison.Ordinal)) return false;
        bool isHex = ulong.TryParse(registerText.AsSpan(2), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out ulong register);
        if (!isHex) return false;
        root = new CoreRoot(guest, (RootKind)kind, register, levels, physBits, (RootAccessedDirty)accessedDirty);
        return true;
    }

    private static bool TryGetText(JsonElement element, string name, out string text)
    {
        bool found = element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String;
        text = found ? value.GetString()! : "";
        return found;
    }

    private static bool TryGetNumber(JsonElement element, string name, int least, int most, out int number)
    {
        number = 0;
        if (!element.TryGetProperty(name, out JsonElement value)) return false;
        if (value.ValueKind != JsonValueKind.Number) return false;
        return value.TryGetInt32(out number) && number >= least && number <= most;
    }
}
