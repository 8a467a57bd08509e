namespace Pagoda.Simulator.Memory;

/// <summary>Which stores may pass which.</summary>
internal enum MemoryMode : byte
{
    /// <summary>x86: stores leave a thread's buffer in the order in which it made them.</summary>
    Tso = 0,

    /// <summary>Plain stores overtake one another; a release waits for what is older.</summary>
    Weak,
}
