namespace Pagoda;

/// <summary>How a guest comes to superpages.</summary>
public enum SuperpagePolicy : byte
{
    /// <summary>Faults enter 4 KiB pages, and a window that is full becomes a superpage.</summary>
    Fixed = 0,

    /// <summary>The first write into a window populates all of it as one superpage; a read enters 4 KiB.</summary>
    Superpage,
}
