using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;

namespace Pagoda.Tests.Gates;

/// <summary>A member with a body in braces, found by counting braces.</summary>
/// <param name="Name">The header's last word before its parameters, or the property's name.</param>
/// <param name="Position">Where the opening brace is.</param>
/// <param name="End">Behind the closing brace.</param>
/// <param name="Line">The line of the opening brace, from 1.</param>
/// <param name="LineCount">Lines from the opening to the closing brace, both counted.</param>
internal sealed partial record SourceFunction(string Name, int Position, int End, int Line, int LineCount)
{
    private enum BlockKind
    {
        Namespace,
        Type,
        Member,
        Inner,
    }

    private readonly record struct Block(BlockKind Kind, string Name, int Position, int Line);

    /// <summary>Every member of every type in code whose comments and literals are blanked out.</summary>
    public static List<SourceFunction> FindAll(string code)
    {
        var functions = new List<SourceFunction>();
        var blocks = new Stack<Block>();
        int headerStart = 0;
        int line = 1;
        int parentheses = 0;
        for (int at = 0; at < code.Length; at++)
        {
            char c = code[at];
            if (c == '\n') line++;
            parentheses += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c == '{')
            {
                blocks.Push(Classify(code[headerStart..at], blocks, at, line));
                headerStart = at + 1;
            }
            else if (c == '}')
            {
                if (blocks.TryPop(out Block block) && block.Kind == BlockKind.Member)
                {
                    int lines = line - block.Line + 1;
                    functions.Add(new SourceFunction(block.Name, block.Position, at + 1, block.Line, lines));
                }
                headerStart = at + 1;
            }
            else if (c == ';' && parentheses == 0)
            {
                headerStart = at + 1;
            }
        }
        return functions;
    }

    private static Block Classify(string header, Stack<Block> blocks, int at, int line)
    {
        bool atTypeLevel = blocks.Count == 0 || blocks.Peek().Kind is BlockKind.Namespace or BlockKind.Type;
        if (!atTypeLevel) return new Block(BlockKind.Inner, "", at, line);
        if (NamespaceHeader().IsMatch(header)) return new Block(BlockKind.Namespace, "", at, line);
        Match type = TypeHeader().Match(header);
        if (type.Success) return new Block(BlockKind.Type, type.Groups["name"].Value, at, line);
        return new Block(BlockKind.Member, NameOf(header), at, line);
    }

    private static string NameOf(string header)
    {
        string declaration = Attributes().Replace(header, "");
        foreach (Match call in NameBeforeParenthesis().Matches(declaration))
        {
            string name = call.Groups["name"].Value;
            // A tuple's parenthesis follows a modifier.
            if (!Modifier().IsMatch(name)) return name;
        }
        return LastWord().Match(declaration).Value;
    }

    [GeneratedRegex(@"\bnamespace\s+[\w.]+\s*$")]
    private static partial Regex NamespaceHeader();

    [GeneratedRegex(@"\b(class|struct|interface|enum|record)\s+(?!where\b|class\b|struct\b)(?<name>[A-Za-z_]\w*)")]
    private static partial Regex TypeHeader();

    [GeneratedRegex(@"\A\s*(\[[^\]]*\]\s*)*")]
    private static partial Regex Attributes();

    [GeneratedRegex(@"(?<name>[A-Za-z_]\w*)\s*(<[^()]*>)?\s*\(")]
    private static partial Regex NameBeforeParenthesis();

    [GeneratedRegex(@"\A(public|private|protected|internal|static|unsafe|readonly|override|virtual|new|ref|partial)\z")]
    private static partial Regex Modifier();

    [GeneratedRegex(@"[A-Za-z_]\w*", RegexOptions.RightToLeft)]
    private static partial Regex LastWord();
}
