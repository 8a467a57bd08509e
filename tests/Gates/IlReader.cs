using System;
using System.Collections.Generic;
using System.Reflection;
using System.Reflection.Emit;

namespace Pagoda.Tests.Gates;

/// <summary>One instruction of a method body, with the member, type or nothing that its token names.</summary>
internal readonly record struct IlInstruction(int Offset, OpCode Code, MemberInfo? Operand);

/// <summary>Reads the instructions of compiled methods.</summary>
internal static class IlReader
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static
        | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> s_codes = FindCodes();

    /// <summary>The instructions of a method, in order; none when it has no body.</summary>
    public static List<IlInstruction> Read(MethodBase method)
    {
        var instructions = new List<IlInstruction>();
        byte[]? il = method.GetMethodBody()?.GetILAsByteArray();
        if (il is null) return instructions;
        Type[]? typeArguments = method.DeclaringType?.GetGenericArguments();
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        int at = 0;
        while (at < il.Length)
        {
            int start = at;
            short value = il[at++];
            if (value == 0xFE) value = (short)(0xFE00 | il[at++]);
            OpCode code = s_codes[value];
            MemberInfo? operand = null;
            if (NamesAMember(code))
            {
                operand = method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments);
            }
            at += OperandBytes(code, il, at);
            instructions.Add(new IlInstruction(start, code, operand));
        }
        return instructions;
    }

    /// <summary>Every method and constructor that a type declares itself.</summary>
    public static IEnumerable<MethodBase> MethodsOf(Type type)
    {
        foreach (MethodInfo method in type.GetMethods(Everything)) yield return method;
        foreach (ConstructorInfo constructor in type.GetConstructors(Everything)) yield return constructor;
    }

    /// <summary>Every field that a type declares itself.</summary>
    public static FieldInfo[] FieldsOf(Type type) => type.GetFields(Everything);

    /// <summary>Every property that a type declares itself.</summary>
    public static PropertyInfo[] PropertiesOf(Type type) => type.GetProperties(Everything);

    /// <summary>The name that messages give a method.</summary>
    public static string NameOf(MethodBase method) => NameOf(method.DeclaringType) + "." + method.Name;

    /// <summary>The name that messages and lists give a type: full, nested with dots, without arguments.</summary>
    public static string NameOf(Type? type)
    {
        if (type is null) return "";
        string name = type.Name;
        int arity = name.IndexOf('`', StringComparison.Ordinal);
        if (arity >= 0) name = name[..arity];
        if (type.IsGenericParameter) return name;
        if (type.DeclaringType is not null) return NameOf(type.DeclaringType) + "." + name;
        return string.IsNullOrEmpty(type.Namespace) ? name : type.Namespace + "." + name;
    }

    private static bool NamesAMember(OpCode code) => code.OperandType is OperandType.InlineMethod
        or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok;

    private static int OperandBytes(OpCode code, byte[] il, int at) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
        _ => 4,
    };

    private static Dictionary<short, OpCode> FindCodes()
    {
        var codes = new Dictionary<short, OpCode>();
        foreach (FieldInfo field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var code = (OpCode)field.GetValue(null)!;
            codes[code.Value] = code;
        }
        return codes;
    }
}
