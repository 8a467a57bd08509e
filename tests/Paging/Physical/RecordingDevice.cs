using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

/// <summary>A device that remembers its last access and answers reads with a fixed value.</summary>
internal sealed class RecordingDevice(ulong answer) : IDeviceMemory
{
    public (char Kind, ulong Offset, int Size, ulong Value) Last { get; private set; }

    public ulong Read(ulong offset, int size)
    {
        Last = ('R', offset, size, answer);
        return answer;
    }

    public void Write(ulong offset, int size, ulong value) => Last = ('W', offset, size, value);
}
