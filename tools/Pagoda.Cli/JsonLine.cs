using System;
using System.IO;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Pagoda.Cli;

/// <summary>Writes one JSON object as one line.</summary>
internal static class JsonLine
{
    /// <summary>Writes what <paramref name="body"/> puts between the braces, and ends the line.</summary>
    internal static void Write(TextWriter output, Action<Utf8JsonWriter> body)
    {
        using var buffer = new MemoryStream();
        // The line goes to a terminal or a program, never into a web page: only what JSON demands is escaped.
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }
}
