using System;
using System.Buffers.Binary;
using System.IO;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

/// <summary>A flat image of physical memory with hand-made tables, in a file of its own.</summary>
internal sealed class ImageFile : IDisposable
{
    private const int PageBytes = 4096;
    private readonly byte[] _bytes;
    private readonly string _folder = Directory.CreateTempSubdirectory("pagoda-image-").FullName;

    public ImageFile(int pages) => _bytes = new byte[pages * PageBytes];

    public Span<byte> Bytes => _bytes;

    /// <summary>The file, as the memory is at the call.</summary>
    public string Path
    {
        get
        {
            string path = PathOf("memory");
            File.WriteAllBytes(path, _bytes);
            return path;
        }
    }

    /// <summary>Sets an entry of the table at <paramref name="table"/>.</summary>
    public void Set(ulong table, int index, ulong entry) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan((int)table + index * sizeof(ulong)), entry);

    /// <summary>A file beside the image.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(_folder, name);

    /// <summary>A text file beside the image.</summary>
    public string Text(string text)
    {
        File.WriteAllText(PathOf("text"), text);
        return PathOf("text");
    }

    /// <summary>Runs <c>pagoda inspect --raw</c> on the image.</summary>
    public CliResult Inspect(string format, string root, params string[] more) =>
        CliRunner.Run(["inspect", Path, "--raw", "--format", format, "--root", root, .. more]);

    /// <summary>EPT tables at 0x1000 with leaves of every size: see the tests for what they say.</summary>
    public static ImageFile MakeEpt()
    {
        var image = new ImageFile(8);
        image.Set(0x1000, 0, 0x2007);
        image.Set(0x1000, 1, 0x30_0007);
        image.Set(0x2000, 0, 0x3007);
        image.Set(0x2000, 1, 0x4000_00F7);
        image.Set(0x3000, 0, 0x4007);
        image.Set(0x3000, 1, 0x20_00F5);
        image.Set(0x3000, 2, 0x5003);
        image.Set(0x3000, 3, 0x00B2);
        for (int i = 0; i < 16; i++) image.Set(0x4000, i, 0x10_0077UL + (ulong)i * PageBytes);
        for (int i = 0; i < 512; i++) image.Set(0x5000, i, 0x80_0377UL + (ulong)(511 - i) * PageBytes);
        return image;
    }

    /// <summary>x86 or NPT tables at 0x1000: page 1 is user's, 2 read-only, 3 supervisor's, 4 not executable.</summary>
    public static ImageFile MakeX86()
    {
        var image = new ImageFile(8);
        image.Set(0x1000, 0, 0x2007);
        image.Set(0x2000, 0, 0x3007);
        image.Set(0x3000, 0, 0x4007);
        image.Set(0x3000, 1, 0x20_0087);
        image.Set(0x4000, 1, 0x10_1007);
        image.Set(0x4000, 2, 0x10_2005);
        image.Set(0x4000, 3, 0x10_3003);
        image.Set(0x4000, 4, 0x8000_0000_0010_4007);
        image.Set(0x4000, 5, 0x10_5007 | (1UL << 46));
        return image;
    }

    /// <summary>Random pages, a share of whose entries look like tables or leaves inside the image.</summary>
    public static ImageFile MakeRandom(SeededGenerator random, int pages)
    {
        var image = new ImageFile(pages);
        random.Fill(image.Bytes);
        for (int page = 0; page < pages; page++)
        {
            for (int i = 0; i < 512; i++)
            {
                if (random.OneIn(4)) continue;
                ulong low = random.Pick<ulong>([0, 7, 7, 0x37, 0xB7, 0x307, 0x67, 0xE7, 3, 2]);
                ulong target = (ulong)random.Below(pages + 1) * PageBytes;
                image.Set((ulong)page * PageBytes, i, random.OneIn(8) ? low : target | low);
            }
        }
        return image;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
