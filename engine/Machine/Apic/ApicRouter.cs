using Pagoda.Core;

namespace Pagoda.Machine.Apic;

/// <summary>Carries interrupt messages between the local APICs of a machine, at once.</summary>
/// <remarks>
/// Intel SDM volume 3, "Determining IPI Destination": physical and logical destinations, both logical models, and the
/// four shorthands. Called with the machine's lock held.
/// </remarks>
[AllocationFree]
public sealed class ApicRouter(int capacity)
{
    private const byte Everybody = 0xFF;
    private const uint Logical = 1 << 11;
    private const uint LevelAssert = 1 << 14;
    private const uint TriggerLevel = 1 << 15;
    private const int FlatFormat = 0xF;
    private readonly LocalApic[] _apics = new LocalApic[capacity];
    private int _count;

    /// <summary>Makes an APIC known; while the machine is made.</summary>
    internal void Add(LocalApic apic) => _apics[_count++] = apic;

    /// <summary>Sends what a command register says.</summary>
    /// <param name="sender">Whose register it is.</param>
    /// <param name="command">The low half: vector, mode, destination mode, level, trigger, shorthand.</param>
    /// <param name="destination">The destination of the high half.</param>
    public void Send(LocalApic sender, uint command, byte destination)
    {
        var mode = (DeliveryMode)(command >> 8 & 7);
        // The end of an INIT's level only synchronises arbitration, which there is none of.
        if (mode == DeliveryMode.Init && (command & (TriggerLevel | LevelAssert)) == TriggerLevel) return;
        var shorthand = (Shorthand)(command >> 18 & 3);
        bool isLogical = (command & Logical) != 0;
        if (mode == DeliveryMode.LowestPriority)
        {
            LocalApic? lowest = null;
            for (int i = 0; i < _count; i++)
            {
                LocalApic apic = _apics[i];
                if (!IsMeant(apic, sender, shorthand, isLogical, destination)) continue;
                if (lowest is null || apic.Priority < lowest.Priority) lowest = apic;
            }
            lowest?.Accept(mode, (byte)command);
            return;
        }
        for (int i = 0; i < _count; i++)
        {
            if (IsMeant(_apics[i], sender, shorthand, isLogical, destination)) _apics[i].Accept(mode, (byte)command);
        }
    }

    private static bool IsMeant(LocalApic apic, LocalApic sender, Shorthand shorthand, bool isLogical, byte destination)
    {
        switch (shorthand)
        {
            case Shorthand.Self: return apic == sender;
            case Shorthand.All: return true;
            case Shorthand.Others: return apic != sender;
            default: break;
        }
        if (destination == Everybody) return true;
        if (!isLogical) return apic.Id == destination;
        uint own = apic.LogicalId >> 24;
        if (apic.LogicalFormat >> 28 == FlatFormat) return (own & destination) != 0;
        return own >> 4 == (uint)destination >> 4 && (own & destination & 15) != 0;
    }

    private enum Shorthand
    {
        None,
        Self,
        All,
        Others,
    }
}
