using System;

namespace Pagoda.Tests.Gates;

/// <summary>Just enough of C#'s lexical grammar to tell code from comments and literals.</summary>
internal static class SourceLexer
{
    /// <summary>Replaces comments and literals by blanks, but keeps line feeds: positions still hold.</summary>
    /// <remarks>The holes of interpolated strings are blanked with the rest of the string.</remarks>
    public static string BlankCommentsAndLiterals(string text)
    {
        char[] code = text.ToCharArray();
        int at = 0;
        while (at < code.Length)
        {
            int end = EndOfBlank(text, at);
            if (end == at)
            {
                at++;
                continue;
            }
            for (int i = at; i < end; i++)
            {
                if (code[i] != '\n') code[i] = ' ';
            }
            at = end;
        }
        return new string(code);
    }

    /// <summary>Where the comment or literal that starts here ends; the same position when none starts here.</summary>
    private static int EndOfBlank(string text, int at)
    {
        char c = text[at];
        char next = at + 1 < text.Length ? text[at + 1] : '\0';
        if (c == '/' && next == '/') return IndexOrEnd(text.IndexOf('\n', at), text);
        if (c == '/' && next == '*') return IndexOrEnd(text.IndexOf("*/", at + 2, StringComparison.Ordinal), text, 2);
        if (c == '\'') return EndOfCharacter(text, at);
        return c is '"' or '$' or '@' ? EndOfString(text, at) : at;
    }

    private static int EndOfCharacter(string text, int at)
    {
        int close = text[at + 1] == '\\' ? text.IndexOf('\'', at + 3) : at + 2;
        return close > 0 && close < text.Length && text[close] == '\'' ? close + 1 : at;
    }

    private static int EndOfString(string text, int at)
    {
        int quote = at;
        bool verbatim = false;
        int dollars = 0;
        while (quote < text.Length && text[quote] is '$' or '@')
        {
            verbatim |= text[quote] == '@';
            dollars += text[quote] == '$' ? 1 : 0;
            quote++;
        }
        if (quote >= text.Length || text[quote] != '"') return at;
        int quotes = 0;
        while (quote + quotes < text.Length && text[quote + quotes] == '"') quotes++;
        if (quotes >= 3 && !verbatim)
        {
            int close = text.IndexOf(new string('"', quotes), quote + quotes, StringComparison.Ordinal);
            return IndexOrEnd(close, text, quotes);
        }
        return EndOfQuoted(text, quote + 1, verbatim, interpolated: dollars > 0);
    }

    private static int EndOfQuoted(string text, int at, bool verbatim, bool interpolated)
    {
        int depth = 0;
        while (at < text.Length)
        {
            char c = text[at];
            if (interpolated && c is '{' or '}')
            {
                bool doubled = depth == 0 && at + 1 < text.Length && text[at + 1] == c;
                if (!doubled) depth += c == '{' ? 1 : -1;
                at += doubled ? 2 : 1;
            }
            else if (depth > 0)
            {
                // Inside a hole: a nested literal may hold a quote or a brace.
                at = Math.Max(EndOfBlank(text, at), at + 1);
            }
            else if (!verbatim && c == '\\')
            {
                at += 2;
            }
            else if (c == '"')
            {
                bool escaped = verbatim && at + 1 < text.Length && text[at + 1] == '"';
                if (!escaped) return at + 1;
                at += 2;
            }
            else
            {
                at++;
            }
        }
        return text.Length;
    }

    private static int IndexOrEnd(int index, string text, int length = 0) => index < 0 ? text.Length : index + length;
}
