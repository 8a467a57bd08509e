using Pagoda.Core;

namespace Pagoda.Machine.Apic;

/// <summary>
/// The local APIC of one processor: its register page, the interrupts that wait and that are served, its timer, and
/// the messages that it sends to others.
/// </summary>
/// <remarks>
/// Intel SDM volume 3, chapter "Advanced Programmable Interrupt Controller (APIC)". It lies at <see cref="Gpa"/> and
/// cannot be moved; x2APIC is not there. Messages arrive at once, so that the delivery status always reads idle. Its
/// lines LINT0 and LINT1 lead nowhere. All members are called with the machine's lock held.
/// </remarks>
[AllocationFree]
public sealed partial class LocalApic
{
    /// <summary>Where each processor finds its own registers.</summary>
    public const ulong Gpa = 0xFEE0_0000;

    /// <summary>Bytes of the register page.</summary>
    public const ulong Bytes = 4096;

    /// <summary>Version 14h, six local vectors.</summary>
    public const uint Version = 0x0005_0014;

    private const int ErrorSendIllegal = 1 << 5;
    private const int ErrorReceiveIllegal = 1 << 6;
    private const int ErrorIllegalRegister = 1 << 7;
    private const int VectorMin = 16;
    private const uint SpuriousReset = 0xFF;
    private const uint SoftwareEnable = 1 << 8;
    private const uint EntryMasked = 1 << 16;
    private const uint EntryPeriodic = 1 << 17;
    private const int EntryCount = 6;
    private const int EntryTimer = 0;
    private const int EntryError = 5;

    private readonly IApicTarget _target;
    private readonly ApicRouter _router;
    private readonly uint[] _entries = new uint[EntryCount];
    private VectorSet _requested;
    private VectorSet _served;
    private ApicTimer _timer;
    private uint _spurious;
    private uint _prioritySubclass;
    private uint _commandLow;
    private uint _commandHigh;
    private uint _errors;
    private uint _errorStatus;

    /// <summary>An APIC as after reset, known to a router.</summary>
    public LocalApic(byte id, IApicTarget target, ApicRouter router)
    {
        Id = id;
        _target = target;
        _router = router;
        router.Add(this);
        Reset();
    }

    /// <summary>The physical identity.</summary>
    public byte Id { get; }

    /// <summary>The logical identity register.</summary>
    public uint LogicalId { get; private set; }

    /// <summary>The format of logical destinations: F in the top four bits is flat, 0 is by clusters.</summary>
    public uint LogicalFormat { get; private set; }

    /// <summary>The priority that an interrupt's must exceed: the task's, or the served interrupt's.</summary>
    public uint Priority
    {
        get
        {
            uint task = (uint)_target.TaskPriorityClass << 4 | _prioritySubclass;
            int served = _served.Highest;
            return served < 0 || task >> 4 >= (uint)served >> 4 ? task : (uint)served & 0xF0;
        }
    }

    /// <summary>The virtual time of the timer's next interrupt; <see cref="ulong.MaxValue"/> for none.</summary>
    public ulong TimerDeadline => (_entries[EntryTimer] & EntryMasked) != 0 ? ApicTimer.Never : _timer.Deadline;

    private bool IsEnabled => (_spurious & SoftwareEnable) != 0;

    /// <summary>Puts the registers into the state after reset or INIT.</summary>
    public void Reset()
    {
        _requested.Clear();
        _served.Clear();
        for (int i = 0; i < EntryCount; i++) _entries[i] = EntryMasked;
        _timer.Reset();
        _spurious = SpuriousReset;
        _prioritySubclass = 0;
        _commandLow = 0;
        _commandHigh = 0;
        _errors = 0;
        _errorStatus = 0;
        LogicalId = 0;
        LogicalFormat = uint.MaxValue;
    }

    /// <summary>Takes a message.</summary>
    public void Accept(DeliveryMode mode, byte vector)
    {
        switch (mode)
        {
            case DeliveryMode.Fixed or DeliveryMode.LowestPriority:
                if (IsEnabled) Request(vector);
                break;
            case DeliveryMode.Nmi:
                _target.RaiseNmi();
                break;
            case DeliveryMode.Init:
                Reset();
                _target.RaiseInit();
                break;
            case DeliveryMode.Startup:
                _target.RaiseStart(vector);
                break;
            default:
                break;
        }
    }

    /// <summary>Hands the processor the waiting interrupt with the highest priority, if it may take one.</summary>
    public bool TryAcknowledge(out byte vector)
    {
        int highest = _requested.Highest;
        vector = (byte)highest;
        if (highest < 0 || (uint)highest >> 4 <= Priority >> 4) return false;
        _requested.Remove(highest);
        _served.Add(highest);
        return true;
    }

    /// <summary>Requests the timer's interrupt if it is due at virtual time <paramref name="now"/>.</summary>
    public void CheckTimer(ulong now)
    {
        uint entry = _entries[EntryTimer];
        if (_timer.TryExpire((entry & EntryPeriodic) != 0, now) && (entry & EntryMasked) == 0) Request((byte)entry);
    }

    private void Request(byte vector)
    {
        if (vector < VectorMin)
        {
            Record(ErrorReceiveIllegal);
            return;
        }
        _requested.Add(vector);
        _target.RaiseInterrupt();
    }

    private void Record(uint error)
    {
        _errors |= error;
        uint entry = _entries[EntryError];
        // An error entry with an illegal vector must not report itself for ever.
        if ((entry & EntryMasked) == 0 && (byte)entry >= VectorMin) Request((byte)entry);
    }
}
