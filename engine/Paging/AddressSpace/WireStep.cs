namespace Pagoda.AddressSpace;

/// <summary>How far one step of wiring came.</summary>
internal enum WireStep : byte
{
    /// <summary>Everything up to the end is wired.</summary>
    Done = 0,

    /// <summary>A page has no mapping: fault it in, and go on from there.</summary>
    Missing,

    /// <summary>A superpage needs frames for its demotion: make room, and go on from there.</summary>
    NoFrame,

    /// <summary>Somebody took the wiring away, or ended the guest.</summary>
    Gone,
}
