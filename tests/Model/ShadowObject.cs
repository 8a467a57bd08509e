using System;
using System.Collections.Generic;

namespace Pagoda.Tests.Model;

/// <summary>The bytes of a VM object: what each page must hold, whatever frames and tables do.</summary>
public sealed class ShadowObject(Func<ulong, byte[]>? initial, bool isPrivate)
{
    private readonly Dictionary<ulong, byte[]> _pages = [];
    private readonly HashSet<ulong> _written = [];

    /// <summary>Pages go with their mapping.</summary>
    public bool IsPrivate { get; } = isPrivate;

    /// <summary>A range of the host's own memory: accesses by vCPUs go to a device.</summary>
    public bool IsDevice { get; init; }

    /// <summary>The bytes of a page. Held pages keep the array when the page goes.</summary>
    public byte[] Page(ulong page)
    {
        if (!_pages.TryGetValue(page, out byte[]? bytes))
        {
            bytes = initial is null ? new byte[4096] : initial(page);
            _pages.Add(page, bytes);
        }
        return bytes;
    }

    /// <summary>Puts another array in a page's place.</summary>
    public void SetPage(ulong page, byte[] bytes) => _pages[page] = bytes;

    /// <summary>Somebody wrote the page.</summary>
    public void MarkWritten(ulong page) => _written.Add(page);

    /// <summary>Did somebody ever write it?</summary>
    public bool WasWritten(ulong page) => _written.Contains(page);

    /// <summary>The page's mapping is gone.</summary>
    public void Drop(ulong page)
    {
        if (!IsPrivate) return;
        _pages.Remove(page);
        _written.Remove(page);
    }
}
