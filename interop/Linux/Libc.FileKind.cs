using System.Runtime.InteropServices;

namespace Pagoda.Linux;

public static unsafe partial class Libc
{
    private const int AT_FDCWD = -100;
    private const uint STATX_TYPE = 1;
    private const int StatxBytes = 256;
    private const int StatxModeOffset = 28;
    private const ushort S_IFMT = 0xF000;
    private const ushort S_IFREG = 0x8000;
    private const ushort S_IFDIR = 0x4000;

    /// <summary>What a path names.</summary>
    public enum FileKind : byte
    {
        /// <summary>Nothing, or nothing that may be looked at.</summary>
        None = 0,

        /// <summary>A regular file.</summary>
        Regular,

        /// <summary>A directory.</summary>
        Directory,

        /// <summary>A device, pipe or socket.</summary>
        Special,
    }

    /// <summary>Tells what <paramref name="path"/> names, links followed, without opening it.</summary>
    /// <param name="path">UTF-8 and a zero byte.</param>
    public static FileKind KindOf(byte* path)
    {
        byte* buffer = stackalloc byte[StatxBytes];
        if (Statx(AT_FDCWD, path, 0, STATX_TYPE, buffer) != 0) return FileKind.None;
        return (*(ushort*)(buffer + StatxModeOffset) & S_IFMT) switch
        {
            S_IFREG => FileKind.Regular,
            S_IFDIR => FileKind.Directory,
            _ => FileKind.Special,
        };
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* buffer);
}
