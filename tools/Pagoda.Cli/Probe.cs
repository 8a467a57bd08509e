using Pagoda.Core;

namespace Pagoda.Cli;

/// <summary>One access to perform.</summary>
/// <param name="Line">Its line in the probe file, from 1.</param>
/// <param name="Op">As written: r, w, x, ru, wu or xu.</param>
/// <param name="Access">The access.</param>
/// <param name="IsUser">It is made in user mode.</param>
/// <param name="Address">Guest-physical for nested tables, linear for x86.</param>
internal readonly record struct Probe(int Line, string Op, Prot Access, bool IsUser, ulong Address);
