using System;
using System.Collections.Generic;

namespace Pagoda.Tests.Gates;

/// <summary>One C# file: its text, and its code with every comment and literal blanked out in place.</summary>
internal sealed class SourceFile
{
    private List<SourceFunction>? _functions;

    /// <summary>Lexes the text of the file at a path from the root.</summary>
    public SourceFile(string path, string text)
    {
        Path = path;
        Text = text;
        Code = SourceLexer.BlankCommentsAndLiterals(text);
        Lines = text.Split('\n');
    }

    /// <summary>The path from the root, with forward slashes.</summary>
    public string Path { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>The text with comments and literals replaced by blanks; the same length and lines.</summary>
    public string Code { get; }

    /// <summary>The lines of the text.</summary>
    public string[] Lines { get; }

    /// <summary>The number of lines that hold something, counting a last line without a line feed.</summary>
    public int LineCount => Lines.Length > 0 && Lines[^1].Length == 0 ? Lines.Length - 1 : Lines.Length;

    /// <summary>The file's name without folder and extension.</summary>
    public string Stem => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>The folder from the root, without a last slash.</summary>
    public string Folder => Path.Contains('/', StringComparison.Ordinal) ? Path[..Path.LastIndexOf('/')] : "";

    /// <summary>Every member with a body in braces.</summary>
    public IReadOnlyList<SourceFunction> Functions => _functions ??= SourceFunction.FindAll(Code);

    /// <summary>The line, from 1, that a position in the text is on.</summary>
    public int LineOf(int position) => Text.AsSpan(0, position).Count('\n') + 1;
}
