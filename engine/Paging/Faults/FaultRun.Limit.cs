using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Faults;

/// <summary>
/// The maximum of a guest: faults that would take it beyond have pages of its own taken first, and end without memory
/// when none can be.
/// </summary>
internal unsafe ref partial struct FaultRun
{
    /// <summary>Pages that are taken along, so that not every fault has to.</summary>
    private const ulong SlackMax = 32;

    /// <summary>May so many pages more be mapped without counting those that are?</summary>
    private readonly bool MayKeep(int pages)
    {
        if (_space.MaxResidentPages == 0) return true;
        if (_consumer.Allowance < (ulong)pages) return false;
        _consumer.Allowance -= (ulong)pages;
        return true;
    }

    /// <summary>Does a superpage of so many pages fit under the guest's maximum? Inside the slot.</summary>
    private readonly bool IsBelowMaximum(int pages)
    {
        ulong most = _space.MaxResidentPages;
        if (most == 0 || _space.Neighbours.Relief is null) return true;
        return (ulong)pages <= most && _pmap.CountResident() <= most - (ulong)pages;
    }

    /// <summary>
    /// Lets lanes start again behind <see cref="KeepMaximum"/> if they would take the guest beyond. Inside the slot.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CheckMaximum()
    {
        int pages = BitOperations.PopCount(_pending);
        if (_reliefs == ReliefsMax || _space.Neighbours.Relief is null || MayKeep(pages)) return;
        ulong most = _space.MaxResidentPages;
        ulong wanted = _pmap.CountResident() + (ulong)pages;
        if (wanted <= most)
        {
            // Others of its consumers find the same: a part of what is left for each.
            _consumer.Allowance = (most - wanted) / 4;
            return;
        }
        _over = (int)ulong.Min(wanted - most + ulong.Min(SlackMax, most / 8), int.MaxValue);
        _again |= _pending;
        _pending = 0;
    }

    /// <summary>Has the guest's own pages taken. In no slot, and without a Busy page.</summary>
    private void KeepMaximum()
    {
        int freed = _space.Neighbours.Relief?.Relieve(_space, _over) ?? 0;
        _over = 0;
        _reliefs++;
        if (freed == 0) End(_pending, FaultStatus.OutOfMemory);
    }
}
