using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Tests.Gates;

/// <summary>
/// What <see cref="AllocationFreeAttribute"/> promises, checked against compiled code: nothing marked contains an
/// instruction that allocates, and everything it calls is marked too, or is on the vetted list.
/// </summary>
/// <remarks>
/// Not checked: helpers that never return (they end in an exception), Dispose, and constructors of classes, because
/// whoever runs one has allocated already. A struct's constructor is checked. Accessors that the compiler writes need
/// no mark. The system's functions are declared below the attribute's assembly: what is called of them is checked
/// through the call.
/// </remarks>
internal sealed class AllocationFreeRules(params Assembly[] assemblies)
{
    private const string InteropAssembly = "Pagoda.Linux";

    private readonly HashSet<Assembly> _own = [.. assemblies];

    /// <summary>Every method that the attribute, or a marked interface, binds.</summary>
    public List<MethodBase> MarkedMethods()
    {
        var marked = new List<MethodBase>();
        foreach (Assembly assembly in _own)
        {
            if (IsInterop(assembly)) continue;
            foreach (Type type in assembly.GetTypes())
            {
                HashSet<MethodBase> throughInterfaces = ImplementationsOfMarkedInterfaces(type);
                foreach (MethodBase method in IlReader.MethodsOf(type))
                {
                    if (IsExempt(method)) continue;
                    if (IsMarked(method) || throughInterfaces.Contains(method)) marked.Add(method);
                }
            }
        }
        return marked;
    }

    /// <summary>Everything in one method that the promise forbids, as messages.</summary>
    public List<string> Violations(MethodBase method)
    {
        var found = new List<string>();
        foreach (IlInstruction instruction in IlReader.Read(method))
        {
            string? reason = Judge(instruction);
            if (reason is not null) found.Add(IlReader.NameOf(method) + ": " + reason);
        }
        return found;
    }

    private string? Judge(in IlInstruction instruction)
    {
        OpCode code = instruction.Code;
        if (code == OpCodes.Newarr) return "makes an array";
        if (code == OpCodes.Box)
        {
            // The compiler boxes a type parameter only to compare it with null, which the JIT removes for structs.
            return instruction.Operand is Type { IsGenericParameter: true } ? null : "boxes " + instruction.Operand;
        }
        if (code == OpCodes.Ldftn || code == OpCodes.Ldvirtftn)
        {
            var target = (MethodBase)instruction.Operand!;
            bool isUnmanaged = target.IsDefined(typeof(UnmanagedCallersOnlyAttribute), false);
            return isUnmanaged ? null : "makes a delegate or pointer of " + IlReader.NameOf(target);
        }
        if (code == OpCodes.Newobj)
        {
            var constructor = (MethodBase)instruction.Operand!;
            Type made = constructor.DeclaringType!;
            return made.IsValueType ? JudgeCall(constructor) : "makes an object of " + IlReader.NameOf(made);
        }
        if (code == OpCodes.Call || code == OpCodes.Callvirt) return JudgeCall((MethodBase)instruction.Operand!);
        return null;
    }

    private string? JudgeCall(MethodBase callee)
    {
        Type? type = callee.DeclaringType;
        if (type is null || type.IsArray) return null;
        if (_own.Contains(type.Assembly))
        {
            if (IsExempt(callee) || IsMarked(callee) || IsAutomaticAccessor(callee)) return null;
            if (!IsInterop(type.Assembly)) return "calls " + IlReader.NameOf(callee) + ", which is not marked";
            List<string> below = Violations(callee);
            return below.Count == 0 ? null : "calls " + below[0];
        }
        return VettedLibrary.Allows(type, callee.Name)
            ? null
            : "calls " + IlReader.NameOf(callee) + ", which is not on the vetted list";
    }

    private static bool IsExempt(MethodBase method)
    {
        if (method.IsDefined(typeof(DoesNotReturnAttribute), false)) return true;
        if (method.IsConstructor && (method.IsStatic || !method.DeclaringType!.IsValueType)) return true;
        // Helpers of inline arrays and switch expressions that the compiler writes.
        string type = IlReader.NameOf(method.DeclaringType);
        if (type.StartsWith("<PrivateImplementationDetails>", StringComparison.Ordinal)) return true;
        return method.Name is "Dispose" or "Finalize" && method.GetParameters().Length == 0;
    }

    private static bool IsAutomaticAccessor(MethodBase method) =>
        method.IsSpecialName && method.IsDefined(typeof(CompilerGeneratedAttribute), false);

    private static bool IsInterop(Assembly assembly) => assembly.GetName().Name == InteropAssembly;

    private static bool IsMarked(MethodBase method)
    {
        if (HasMark(method)) return true;
        for (Type? type = method.DeclaringType; type is not null; type = type.DeclaringType)
        {
            if (HasMark(type)) return true;
        }
        if (!method.IsSpecialName || method.DeclaringType is null) return false;
        foreach (PropertyInfo property in IlReader.PropertiesOf(method.DeclaringType))
        {
            bool isAccessor = property.GetMethod == method || property.SetMethod == method;
            if (isAccessor && HasMark(property)) return true;
        }
        return false;
    }

    private static bool HasMark(MemberInfo member) => member.IsDefined(typeof(AllocationFreeAttribute), false);

    private static HashSet<MethodBase> ImplementationsOfMarkedInterfaces(Type type)
    {
        var implementations = new HashSet<MethodBase>();
        if (type.IsInterface || type.IsDefined(typeof(CompilerGeneratedAttribute), false)) return implementations;
        foreach (Type contract in type.GetInterfaces())
        {
            Type definition = contract.IsGenericType ? contract.GetGenericTypeDefinition() : contract;
            if (!HasMark(definition)) continue;
            foreach (MethodInfo target in type.GetInterfaceMap(contract).TargetMethods) implementations.Add(target);
        }
        return implementations;
    }
}
