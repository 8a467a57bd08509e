using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>Is shown resident pages, one after another. A struct.</summary>
[AllocationFree]
internal unsafe interface IResidentVisitor
{
    /// <summary>A page in a frame; the word may have moved on since it was read.</summary>
    /// <param name="memory">The object.</param>
    /// <param name="page">The page's index in it.</param>
    /// <param name="word">Its word.</param>
    /// <param name="seen">What the word was: Resident.</param>
    /// <returns>False ends the scan behind this page.</returns>
    bool Visit(VmObject memory, ulong page, ulong* word, ulong seen);
}
