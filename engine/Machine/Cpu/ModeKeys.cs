namespace Pagoda.Machine.Cpu;

/// <summary>What decoded code depends on besides its bytes; part of a block's key.</summary>
internal static class ModeKeys
{
    /// <summary>The code segment's default size: 16, 32 or 64 bits.</summary>
    public const uint SizeMask = 3;

    public const uint Size16 = 0;
    public const uint Size32 = 1;
    public const uint Size64 = 2;

    /// <summary>Some of CS, SS, DS, ES has a base, a limit or rights that every access must be checked against, or the
    /// stack is 16 bits wide.</summary>
    public const uint Segmented = 4;

    /// <summary>A block of one instruction: the one that an interrupt shadow covers.</summary>
    public const uint Single = 8;
}
