using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.GuestAccess;

namespace Pagoda.Tests.Model;

/// <summary>Spans held by the test, and the arrays that must equal them.</summary>
public sealed class ModelHold(GuestSpan[] spans, int offset, List<byte[]> pages, Prot access)
{
    private const int PageBytes = 4096;

    /// <summary>The spans.</summary>
    public GuestSpan[] Spans { get; } = spans;

    /// <summary>What they were held for.</summary>
    public Prot Access { get; } = access;

    /// <summary>The spans hold the shadow's bytes.</summary>
    public void Check(string where)
    {
        int at = offset;
        foreach (GuestSpan span in Spans)
        {
            foreach (byte value in span.Bytes)
            {
                if (value != pages[at / PageBytes][at % PageBytes]) Assert.Fail("held byte " + at + "; " + where);
                at++;
            }
        }
    }

    /// <summary>Writes a byte through the spans and to the shadow.</summary>
    public void Write(int index, byte value)
    {
        int at = offset + index;
        pages[at / PageBytes][at % PageBytes] = value;
        foreach (GuestSpan span in Spans)
        {
            if ((ulong)index < span.Length)
            {
                span.Bytes[index] = value;
                return;
            }
            index -= (int)span.Length;
        }
    }

    /// <summary>Bytes held.</summary>
    public int Length
    {
        get
        {
            int length = 0;
            foreach (GuestSpan span in Spans) length += (int)span.Length;
            return length;
        }
    }
}
