using System;
using System.IO;
using Pagoda.Linux;
using Pagoda.Machine.Dump;

namespace Pagoda.Cli;

/// <summary>
/// A file that a command writes at its end: checked before the work starts, whole or not there after it.
/// </summary>
/// <remarks>
/// A regular file is written beside its name and then renamed; devices and pipes, such as /dev/stdout, are written to.
/// </remarks>
internal sealed class ReportFile
{
    private readonly string _option;
    private readonly string _path;
    private readonly bool _isSpecial;

    /// <summary>Checks that the file can be written, and leaves everything as it was.</summary>
    /// <param name="option">The option that names it, for messages.</param>
    /// <param name="path">Its path.</param>
    /// <exception cref="CliException">It cannot be written.</exception>
    internal ReportFile(string option, string path)
    {
        _option = option;
        _path = path;
        Libc.FileKind kind = MappedFile.KindOf(path);
        _isSpecial = kind == Libc.FileKind.Special;
        if (kind == Libc.FileKind.Directory) throw Refused("is a directory: name a file");
        Guarded(() =>
        {
            if (kind == Libc.FileKind.Regular) File.OpenHandle(path, FileMode.Open, FileAccess.Write).Dispose();
            if (_isSpecial) return;
            string temporary = TemporaryName();
            File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write).Dispose();
            File.Delete(temporary);
        });
    }

    /// <summary>Writes the content.</summary>
    /// <exception cref="CliException">It could not be written; what was there before still is.</exception>
    internal void Write(ReadOnlySpan<byte> content)
    {
        byte[] bytes = content.ToArray();
        Guarded(() =>
        {
            if (_isSpecial)
            {
                using var stream = new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
                stream.Write(bytes);
                return;
            }
            string temporary = TemporaryName();
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, Target(), overwrite: true);
        });
    }

    // A rename replaces the file that a link leads to, not the link.
    private string Target() => new FileInfo(_path).LinkTarget is null
        ? _path
        : File.ResolveLinkTarget(_path, returnFinalTarget: true)?.FullName ?? _path;

    private string TemporaryName() => Target() + "." + Path.GetRandomFileName() + ".partial";

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Refused("cannot be written (" + exception.Message + "): name a file in a directory that takes one");
        }
    }

    private CliException Refused(string why) => new(_option + " '" + _path + "' " + why + ".");
}
