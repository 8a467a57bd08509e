namespace Pagoda.Machine;

internal static class AssemblyMarker;
