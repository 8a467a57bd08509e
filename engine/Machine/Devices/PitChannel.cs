using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>One counter of an 8254. Times are in counts since virtual time 0.</summary>
/// <remarks>
/// Always true: while it counts, <c>_elapsed</c> counts had passed at <c>_since</c>; while the gate holds it, no more
/// pass. A count is loaded one clock after it is written, hence <c>_since</c> lies one ahead then.
/// </remarks>
[AllocationFree]
internal struct PitChannel
{
    private const int AccessLatch = 0;
    private const int AccessLow = 1;
    private const int AccessHigh = 2;
    private const byte StatusOutput = 0x80;
    private const byte StatusNullCount = 0x40;
    private const byte ControlKept = 0x3F;
    private const int BinaryModulus = 0x10000;
    private const int DecimalModulus = 10_000;

    private int _mode;
    private int _access;
    private bool _isDecimal;
    private byte _control;
    private int _initial;           // 1 to the modulus
    private bool _isLoaded;         // a count was written since the control word
    private bool _isTriggered;      // modes 1 and 5: the gate has risen since
    private ulong _since;
    private ulong _elapsed;
    private byte _writtenLow;
    private bool _expectsHigh;
    private bool _readsHigh;
    private bool _hasLatch;
    private int _latch;
    private bool _hasStatus;
    private byte _status;

    /// <summary>The level of the gate; set it directly only before the first operation.</summary>
    public bool Gate;

    private readonly int Modulus => _isDecimal ? DecimalModulus : BinaryModulus;

    private readonly bool WaitsForTrigger => _mode is 1 or 5;

    private readonly bool IsPeriodic => _mode is 2 or 3;

    private readonly bool IsCounting => _isLoaded && (WaitsForTrigger ? _isTriggered : Gate);

    /// <summary>Takes a control word for this counter: a latch command, or a new mode.</summary>
    public void Control(byte value, ulong now)
    {
        int access = value >> 4 & 3;
        if (access == AccessLatch)
        {
            LatchCount(now);
            return;
        }
        int mode = value >> 1 & 7;
        _mode = mode > 5 ? mode - 4 : mode;     // 6 and 7 mean 2 and 3
        _access = access;
        _isDecimal = (value & 1) != 0;
        _control = (byte)(value & ControlKept);
        _isLoaded = false;
        _isTriggered = false;
        _expectsHigh = false;
        _readsHigh = false;
        _hasLatch = false;
        _hasStatus = false;
    }

    /// <summary>Writes the next byte of a count.</summary>
    public void Write(byte value, ulong now)
    {
        switch (_access)
        {
            case AccessLow: Load(value, now); break;
            case AccessHigh: Load(value << 8, now); break;
            case AccessLatch: break;                        // never programmed
            default:
                if (_expectsHigh)
                {
                    Load(value << 8 | _writtenLow, now);
                }
                else
                {
                    _writtenLow = value;
                    if (_mode == 0) _isLoaded = false;      // the first byte stops a count in mode 0
                }
                _expectsHigh = !_expectsHigh;
                break;
        }
    }

    /// <summary>Reads the next byte: a latched status, then a latched count, then the running count.</summary>
    public byte Read(ulong now)
    {
        if (_hasStatus)
        {
            _hasStatus = false;
            return _status;
        }
        int count = _hasLatch ? _latch : Count(now);
        switch (_access)
        {
            case AccessLow: _hasLatch = false; return (byte)count;
            case AccessHigh: _hasLatch = false; return (byte)(count >> 8);
            default:
                bool high = _readsHigh;
                _readsHigh = !high;
                if (high) _hasLatch = false;
                return (byte)(high ? count >> 8 : count);
        }
    }

    /// <summary>Holds the count until it is read; a second latch before that is ignored.</summary>
    public void LatchCount(ulong now)
    {
        if (_hasLatch) return;
        _latch = Count(now);
        _hasLatch = true;
    }

    /// <summary>Holds the status until it is read.</summary>
    public void LatchStatus(ulong now)
    {
        if (_hasStatus) return;
        _status = (byte)(_control | (Output(now) ? StatusOutput : 0) | (_isLoaded ? 0 : StatusNullCount));
        _hasStatus = true;
    }

    /// <summary>Drives the gate.</summary>
    public void SetGate(bool level, ulong now)
    {
        if (level == Gate) return;
        if (level)
        {
            bool restarts = WaitsForTrigger || IsPeriodic;
            if (restarts) _elapsed = 0;
            _since = restarts ? now + 1 : now;
            _isTriggered = _isLoaded;
        }
        else if (IsCounting && !WaitsForTrigger)
        {
            _elapsed = Elapsed(now);
        }
        Gate = level;
    }

    /// <summary>The output line.</summary>
    public readonly bool Output(ulong now)
    {
        ulong initial = (ulong)_initial;
        ulong elapsed = Elapsed(now);
        return _mode switch
        {
            0 => _isLoaded && elapsed >= initial,
            1 => !_isTriggered || elapsed >= initial,
            2 => !IsCounting || elapsed % initial != initial - 1,
            3 => !IsCounting || elapsed % initial < (initial + 1) / 2,
            _ => !IsStrobing || elapsed != initial,
        };
    }

    private readonly bool IsStrobing => _mode == 5 ? _isTriggered : _isLoaded;

    private readonly ulong Elapsed(ulong now) =>
        !IsCounting || now < _since ? _elapsed : _elapsed + (now - _since);

    private void Load(int value, ulong now)
    {
        int count = _isDecimal ? FromDecimal(value) : value;
        _initial = count == 0 ? Modulus : count;
        _isLoaded = true;
        if (WaitsForTrigger) return;        // the next rising gate starts it
        _elapsed = 0;
        _since = now + 1;
    }

    private readonly int Count(ulong now)
    {
        if (_initial == 0) return 0;
        int initial = _initial;
        ulong elapsed = Elapsed(now);
        int count;
        if (_mode == 2)
        {
            count = initial - (int)(elapsed % (ulong)initial);
        }
        else if (_mode == 3)
        {
            int phase = (int)(elapsed % (ulong)initial);
            int half = (initial + 1) / 2;
            count = (initial & ~1) - 2 * (phase < half ? phase : phase - half);
        }
        else
        {
            // One-shot modes go on counting below zero.
            ulong modulus = (ulong)Modulus;
            count = (int)((modulus + (ulong)initial - elapsed % modulus) % modulus);
        }
        count %= Modulus;
        return _isDecimal ? ToDecimal(count) : count;
    }

    private static int FromDecimal(int value) =>
        (value & 0xF) + (value >> 4 & 0xF) * 10 + (value >> 8 & 0xF) * 100 + (value >> 12 & 0xF) * 1000;

    private static int ToDecimal(int count) =>
        count % 10 | count / 10 % 10 << 4 | count / 100 % 10 << 8 | count / 1000 % 10 << 12;
}
