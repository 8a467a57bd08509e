using System;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO;

namespace Pagoda.Perf.Machine;

/// <summary>The same kernel under QEMU's binary translator, as the yardstick of fast emulation.</summary>
internal static class QemuPeer
{
    private const string Program = "qemu-system-x86_64";
    private const int BufferBytes = 4096;

    /// <summary>Runs until the serial output holds the text; null when QEMU is not installed or ends before.</summary>
    public static TimeSpan? Run(string kernel, string commandLine, ulong memoryBytes, byte[] until)
    {
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        string memory = (memoryBytes >> 20).ToString(CultureInfo.InvariantCulture) + "M";
        string[] arguments =
        [
            "-accel", "tcg", "-kernel", kernel, "-append", commandLine, "-m", memory, "-display", "none",
            "-serial", "stdio", "-no-reboot",
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        try
        {
            long started = Stopwatch.GetTimestamp();
            using Process process = Process.Start(start)!;
            bool found = ReadUntil(process.StandardOutput.BaseStream, until);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
            process.Kill();
            process.WaitForExit();
            return found ? elapsed : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static bool ReadUntil(Stream stream, byte[] text)
    {
        byte[] buffer = new byte[BufferBytes];
        int kept = 0;
        while (true)
        {
            int read = stream.Read(buffer, kept, buffer.Length - kept);
            if (read == 0) return false;
            int length = kept + read;
            if (buffer.AsSpan(0, length).IndexOf(text) >= 0) return true;
            kept = Math.Min(text.Length - 1, length);
            buffer.AsSpan(length - kept, kept).CopyTo(buffer);
        }
    }
}
