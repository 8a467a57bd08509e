using Pagoda.Core;

namespace Pagoda;

/// <summary>Taking rights away that were granted besides the tables.</summary>
public sealed unsafe partial class GuestConsumer
{
    /// <summary>
    /// Leaves the slot and waits until every consumer of the guest has emptied its TLB once, so that each translation
    /// in use was made behind this call: for a host that narrows what it lets a TLB do, such as store to a page whose
    /// stores it must see from now on.
    /// </summary>
    [AllocationFree]
    public void Renew()
    {
        Exit();
        _table.WaitFor(_table.Advance());
    }
}
