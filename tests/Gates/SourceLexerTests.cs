using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Pagoda.Tests.Gates;

/// <summary>The gates read sources with a small lexer: these are the cases that would blind them.</summary>
public sealed class SourceLexerTests
{
    [TestCase("a // b\nc", "a \nc")]
    [TestCase("a /* b\nc */ d", "a \n d")]
    [TestCase("a \"{\" b", "a b")]
    [TestCase("a \"\\\"{\" b", "a b")]
    [TestCase("a @\"\"\"{\" b", "a b")]
    [TestCase("a $\"{x}{\"}\"}{{\" b", "a b")]
    [TestCase("a \"\"\"{ \" \"\"\" b", "a b")]
    [TestCase("a '{' b '\\'' c", "a b c")]
    [TestCase("@class x", "@class x")]
    public void CommentsAndLiteralsAreBlanked(string text, string code)
    {
        string blanked = SourceLexer.BlankCommentsAndLiterals(text);
        Assert.That(blanked, Has.Length.EqualTo(text.Length));
        Assert.That(Regex.Replace(blanked, " +", " "), Is.EqualTo(code));
    }

    [Test]
    public void FunctionsAreFoundByTheirBraces()
    {
        const string Code = """
            namespace N;
            internal sealed class C<T> where T : struct
            {
                private int _x = 1;
                public C(int x) { _x = x; }
                public int P
                {
                    get { return _x; }
                }
                [Inline(1)] public static (int, int) M<U>(U u) where U : struct, I
                {
                    for (int i = 0; i < 3; i++)
                    {
                    }
                }
            }
            """;
        var functions = SourceFunction.FindAll(Code);
        Assert.That(functions.ConvertAll(f => f.Name + " " + f.LineCount), Is.EqualTo(new[] { "C 1", "P 3", "M 5" }));
    }
}
