using System;
using Pagoda.Machine.Dump;

namespace Pagoda.Machine;

public sealed unsafe partial class VirtualMachine
{
    /// <summary>Writes the arena and the guest's root as an ELF core. While the guest does not run.</summary>
    /// <param name="path">The file; it appears whole or not at all.</param>
    /// <exception cref="System.IO.IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void WriteCore(string path) =>
        ArenaDump.Write(path, Arena, [ArenaDump.RootOf("guest", in Guest.Pmap.Format, Guest.RootRegister)]);
}
