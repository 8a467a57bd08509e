using System;

namespace Pagoda.Core;

/// <summary>
/// Promises that the marked code allocates nothing on the managed heap. A gate test reads the IL of everything marked
/// and follows its calls.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface | AttributeTargets.Method
    | AttributeTargets.Constructor | AttributeTargets.Property)]
public sealed class AllocationFreeAttribute : Attribute;
