using System.Collections.Generic;
using Pagoda.Machine.Apic;

namespace Pagoda.Tests.Machine.Apic;

/// <summary>A processor that writes down what its APIC tells it.</summary>
internal sealed class RecordingTarget : IApicTarget
{
    public List<string> Events { get; } = [];

    public int TaskPriorityClass { get; set; }

    public void RaiseInterrupt() => Events.Add("interrupt");

    public void RaiseNmi() => Events.Add("nmi");

    public void RaiseInit() => Events.Add("init");

    public void RaiseStart(byte page) => Events.Add("start " + page);
}

/// <summary>APICs with their processors on one router.</summary>
internal sealed class ApicGroup
{
    public ApicGroup(int count)
    {
        var router = new ApicRouter(count);
        for (int i = 0; i < count; i++)
        {
            Targets.Add(new RecordingTarget());
            Apics.Add(new LocalApic((byte)i, Targets[i], router));
        }
    }

    public List<LocalApic> Apics { get; } = [];

    public List<RecordingTarget> Targets { get; } = [];

    public uint Read(int apic, int offset, ulong now = 0) => Apics[apic].Read(offset, sizeof(uint), now);

    public void Write(int apic, int offset, uint value, ulong now = 0) =>
        Apics[apic].Write(offset, sizeof(uint), value, now);

    /// <summary>Software-enables an APIC.</summary>
    public void Enable(int apic) => Write(apic, 0xF0, 0x1FF);

    /// <summary>Writes a command with a destination.</summary>
    public void Send(int apic, uint command, byte destination = 0)
    {
        Write(apic, 0x310, (uint)destination << 24);
        Write(apic, 0x300, command);
    }
}
