namespace Pagoda.Machine.Apic;

public sealed partial class LocalApic
{
    private const int RegisterId = 0x020;
    private const int RegisterVersion = 0x030;
    private const int RegisterTaskPriority = 0x080;
    private const int RegisterPriority = 0x0A0;
    private const int RegisterEnd = 0x0B0;
    private const int RegisterLogicalId = 0x0D0;
    private const int RegisterLogicalFormat = 0x0E0;
    private const int RegisterSpurious = 0x0F0;
    private const int RegisterServed = 0x100;
    private const int RegisterTrigger = 0x180;
    private const int RegisterRequested = 0x200;
    private const int RegisterErrors = 0x280;
    private const int RegisterCommandLow = 0x300;
    private const int RegisterCommandHigh = 0x310;
    private const int RegisterEntries = 0x320;
    private const int RegisterInitialCount = 0x380;
    private const int RegisterCurrentCount = 0x390;
    private const int RegisterDivide = 0x3E0;

    // Vector, delivery mode, polarity, trigger, mask and the timer's mode; the two status bits read idle.
    private const uint EntryWritable = 0x0003_A7FF;
    private const uint SpuriousWritable = 0x3FF;
    private const uint FormatFixed = 0x0FFF_FFFF;
    private const uint CommandWritable = 0x000C_CFFF;

    /// <summary>Reads the register at an offset of the page at virtual time <paramref name="now"/>.</summary>
    /// <remarks>
    /// A register is the first four of its sixteen bytes, read whole; anything else reads zero.
    /// </remarks>
    public uint Read(int offset, int size, ulong now)
    {
        if ((offset & 15) != 0 || size < sizeof(uint)) return 0;
        switch (offset)
        {
            case RegisterId: return (uint)Id << 24;
            case RegisterVersion: return Version;
            case RegisterTaskPriority: return (uint)_target.TaskPriorityClass << 4 | _prioritySubclass;
            case RegisterPriority: return Priority;
            case RegisterLogicalId: return LogicalId;
            case RegisterLogicalFormat: return LogicalFormat;
            case RegisterSpurious: return _spurious;
            case >= RegisterServed and < RegisterTrigger: return _served.Word((offset - RegisterServed) >> 4);
            case >= RegisterTrigger and < RegisterRequested: return 0;      // no interrupt here is by level
            case >= RegisterRequested and < RegisterErrors:
                return _requested.Word((offset - RegisterRequested) >> 4);
            case RegisterErrors: return _errorStatus;
            case RegisterCommandLow: return _commandLow;
            case RegisterCommandHigh: return _commandHigh;
            case >= RegisterEntries and < RegisterInitialCount: return _entries[(offset - RegisterEntries) >> 4];
            case RegisterInitialCount: return _timer.InitialCount;
            case RegisterCurrentCount:
                CheckTimer(now);
                return _timer.CurrentCount(now);
            case RegisterDivide: return _timer.Divide;
            case RegisterEnd: return 0;
            default:
                Record(ErrorIllegalRegister);
                return 0;
        }
    }

    /// <summary>Writes the register at an offset of the page at virtual time <paramref name="now"/>.</summary>
    /// <remarks>A write that is not of a register's four bytes is dropped.</remarks>
    public void Write(int offset, int size, uint value, ulong now)
    {
        if ((offset & 15) != 0 || size != sizeof(uint)) return;
        switch (offset)
        {
            case RegisterTaskPriority:
                _prioritySubclass = value & 15;
                _target.TaskPriorityClass = (int)(value >> 4) & 15;
                _target.RaiseInterrupt();
                break;
            case RegisterEnd:
                EndInterrupt();
                break;
            case RegisterLogicalId:
                LogicalId = value & 0xFF00_0000;
                break;
            case RegisterLogicalFormat:
                LogicalFormat = value | FormatFixed;
                break;
            case RegisterSpurious:
                WriteSpurious(value);
                break;
            case RegisterErrors:
                _errorStatus = _errors;
                _errors = 0;
                break;
            case RegisterCommandLow:
                _commandLow = value & CommandWritable;
                Send();
                break;
            case RegisterCommandHigh:
                _commandHigh = value & 0xFF00_0000;
                break;
            case >= RegisterEntries and < RegisterInitialCount:
                WriteEntry((offset - RegisterEntries) >> 4, value);
                break;
            case RegisterInitialCount:
                _timer.Start(value, now);
                break;
            case RegisterDivide:
                _timer.WriteDivide(value);
                break;
            case RegisterId or RegisterVersion or RegisterPriority or RegisterCurrentCount
                or (>= RegisterServed and < RegisterErrors):
                break;                                                      // these only read
            default:
                Record(ErrorIllegalRegister);
                break;
        }
    }

    private void EndInterrupt()
    {
        int served = _served.Highest;
        if (served < 0) return;
        _served.Remove(served);
        if (_requested.Highest >= 0) _target.RaiseInterrupt();
    }

    private void WriteSpurious(uint value)
    {
        _spurious = value & SpuriousWritable;
        if (IsEnabled) return;
        for (int i = 0; i < EntryCount; i++) _entries[i] |= EntryMasked;
    }

    private void WriteEntry(int entry, uint value)
    {
        _entries[entry] = value & EntryWritable;
        if (!IsEnabled) _entries[entry] |= EntryMasked;
    }

    private void Send()
    {
        var mode = (DeliveryMode)(_commandLow >> 8 & 7);
        bool hasVector = mode is DeliveryMode.Fixed or DeliveryMode.LowestPriority;
        if (hasVector && (byte)_commandLow < VectorMin)
        {
            Record(ErrorSendIllegal);
            return;
        }
        _router.Send(this, _commandLow, (byte)(_commandHigh >> 24));
    }
}
