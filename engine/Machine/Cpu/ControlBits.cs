namespace Pagoda.Machine.Cpu;

/// <summary>Bits of control registers and EFER (SDM volume 3, section 2.5).</summary>
internal static class ControlBits
{
    public const ulong ProtectionEnable = 1 << 0;
    public const ulong MonitorCoprocessor = 1 << 1;
    public const ulong Emulation = 1 << 2;
    public const ulong TaskSwitched = 1 << 3;
    public const ulong ExtensionType = 1 << 4;
    public const ulong NotWriteThrough = 1 << 29;
    public const ulong CacheDisable = 1 << 30;
    public const ulong Paging = 1UL << 31;

    public const ulong PhysicalAddressExtension = 1 << 5;
    public const ulong FsGsBase = 1 << 16;

    public const ulong TimeStampDisable = 1 << 2;

    public const ulong SystemCall = 1 << 0;
    public const ulong LongModeEnable = 1 << 8;
    public const ulong LongModeActive = 1 << 10;
    public const ulong NoExecuteEnable = 1 << 11;
}
