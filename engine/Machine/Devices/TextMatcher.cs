using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>Finds a byte string in a stream that arrives a byte at a time (Knuth, Morris and Pratt).</summary>
/// <remarks>
/// Always true: <c>_matched</c> is the length of the longest prefix of the text that is a suffix of the stream, so
/// borders between chunks do not exist for it. One host thread.
/// </remarks>
[AllocationFree]
public sealed class TextMatcher
{
    private readonly byte[] _text;
    private readonly int[] _fallback;
    private int _matched;

    /// <summary>Prepares the search of <paramref name="text"/>; an empty text is never found.</summary>
    public TextMatcher(System.ReadOnlySpan<byte> text)
    {
        _text = text.ToArray();
        _fallback = new int[text.Length + 1];
        int length = 0;
        for (int i = 1; i < text.Length; i++)
        {
            while (length > 0 && text[i] != text[length]) length = _fallback[length];
            if (text[i] == text[length]) length++;
            _fallback[i + 1] = length;
        }
    }

    /// <summary>True once the text was seen; stays true.</summary>
    public bool IsFound { get; private set; }

    /// <summary>Takes the next byte of the stream.</summary>
    public void Next(byte value)
    {
        if (_text.Length == 0 || IsFound) return;
        while (_matched > 0 && _text[_matched] != value) _matched = _fallback[_matched];
        if (_text[_matched] != value) return;
        _matched++;
        if (_matched == _text.Length) IsFound = true;
    }
}
