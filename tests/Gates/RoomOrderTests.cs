using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Gates;

/// <summary>
/// The rooms of the paging kernel stand in an order: each uses itself and those before it, in source and in compiled
/// code; and projects depend downwards only.
/// </summary>
public sealed class RoomOrderTests
{
    private const string KernelFolder = "engine/Paging";
    private const string RootNamespace = "Pagoda";

    /// <summary>First to last. The façade has no room of its own and comes last.</summary>
    private static readonly string[] s_rooms =
    [
        "Core", "Diagnostics", "Physical", "PageTables", "Tlb", "Pagers", "AddressSpace", "Faults", "Reclaim",
        "GuestAccess", "Passthrough", "",
    ];

    private static readonly (string Project, string[] MayReference)[] s_projects =
    [
        ("interop/Linux/Pagoda.Linux.csproj", []),
        ("engine/Paging/Pagoda.Paging.csproj", ["Pagoda.Linux.csproj"]),
        ("engine/Machine/Pagoda.Machine.csproj", ["Pagoda.Linux.csproj", "Pagoda.Paging.csproj"]),
        ("tools/Pagoda.Cli/Pagoda.Cli.csproj",
            ["Pagoda.Linux.csproj", "Pagoda.Paging.csproj", "Pagoda.Machine.csproj"]),
    ];

    [Test]
    public void FilesOfARoomAreInItsNamespace()
    {
        var violations = new Violations();
        foreach (SourceFile file in KernelFiles())
        {
            string room = RoomOfFolder(file.Folder);
            Match declared = Regex.Match(file.Code, @"^namespace\s+([\w.]+)\s*;", RegexOptions.Multiline);
            string expected = room.Length == 0 ? RootNamespace : RootNamespace + "." + room;
            string actual = declared.Groups[1].Value;
            if (!declared.Success || actual == expected) continue;
            violations.Add(file.Path, file.Path + " is in namespace " + actual + ", not " + expected + ".");
        }
        violations.AssertNone();
    }

    [Test]
    public void SourcesUseEarlierRoomsOnly()
    {
        const string Using = @"^using\s+(?:static\s+)?Pagoda\.(\w+)";
        var violations = new Violations();
        foreach (SourceFile file in KernelFiles())
        {
            string room = RoomOfFolder(file.Folder);
            foreach (Match use in Regex.Matches(file.Code, Using, RegexOptions.Multiline))
            {
                Check(violations, room, use.Groups[1].Value, file.Path);
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void CompiledCodeUsesEarlierRoomsOnly()
    {
        var violations = new Violations();
        var seen = new HashSet<(string, string)>();
        foreach (Type type in typeof(Invariant).Assembly.GetTypes())
        {
            string? room = RoomOfType(type);
            if (room is null) continue;
            foreach (Type used in TypesUsedBy(type))
            {
                string? other = used.Assembly == type.Assembly ? RoomOfType(used) : null;
                string user = IlReader.NameOf(type);
                if (other is null || !seen.Add((user, IlReader.NameOf(used)))) continue;
                Check(violations, room, other, user + " (uses " + IlReader.NameOf(used) + ")");
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void ProjectsDependDownwardsOnly()
    {
        var violations = new Violations();
        foreach ((string project, string[] mayReference) in s_projects)
        {
            string text = File.ReadAllText(RepositoryRoot.At(project));
            foreach (Match reference in Regex.Matches(text, "<ProjectReference Include=\"([^\"]+)\""))
            {
                string name = Path.GetFileName(reference.Groups[1].Value);
                if (Array.IndexOf(mayReference, name) >= 0) continue;
                violations.Add(project, project + " references " + name + ".");
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void TheKernelUsesNoPackageAtRunTime()
    {
        string text = File.ReadAllText(RepositoryRoot.At("engine/Paging/Pagoda.Paging.csproj"));
        foreach (Match reference in Regex.Matches(text, "<PackageReference [^>]*>"))
        {
            Assert.That(reference.Value, Does.Contain("PrivateAssets=\"all\""));
        }
        foreach (AssemblyName name in typeof(Invariant).Assembly.GetReferencedAssemblies())
        {
            Assert.That(name.Name, Does.StartWith("System").Or.EqualTo("Pagoda.Linux"));
        }
    }

    private static IEnumerable<SourceFile> KernelFiles()
    {
        foreach (SourceFile file in SourceTree.CSharp)
        {
            if (file.Path.StartsWith(KernelFolder + "/", StringComparison.Ordinal)) yield return file;
        }
    }

    /// <summary>The room of a folder below the kernel's; the façade's when it is none of the rooms' folders.</summary>
    private static string RoomOfFolder(string folder)
    {
        string[] parts = folder[KernelFolder.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0 && Array.IndexOf(s_rooms, parts[0]) >= 0 ? parts[0] : "";
    }

    /// <summary>The room of a type; null for what the compiler makes outside every namespace.</summary>
    private static string? RoomOfType(Type type)
    {
        if (type.Namespace is null || !type.Namespace.StartsWith(RootNamespace, StringComparison.Ordinal)) return null;
        return type.Namespace.Length == RootNamespace.Length ? "" : type.Namespace.Split('.')[1];
    }

    private static void Check(Violations violations, string room, string used, string where)
    {
        int own = Array.IndexOf(s_rooms, room);
        int other = Array.IndexOf(s_rooms, used);
        if (used == "Linux" || (other >= 0 && other <= own)) return;
        string name = room.Length == 0 ? "the façade" : "room " + room;
        violations.Add(where, where + ": " + name + " may not use " + used + ", which comes later or is no room.");
    }

    private static IEnumerable<Type> TypesUsedBy(Type type)
    {
        if (type.BaseType is not null) yield return type.BaseType;
        foreach (Type contract in type.GetInterfaces()) yield return Bare(contract);
        foreach (FieldInfo field in IlReader.FieldsOf(type)) yield return Bare(field.FieldType);
        foreach (MethodBase method in IlReader.MethodsOf(type))
        {
            foreach (ParameterInfo parameter in method.GetParameters()) yield return Bare(parameter.ParameterType);
            if (method is MethodInfo { ReturnType: Type returned }) yield return Bare(returned);
            foreach (LocalVariableInfo local in method.GetMethodBody()?.LocalVariables ?? [])
            {
                yield return Bare(local.LocalType);
            }
            foreach (IlInstruction instruction in IlReader.Read(method))
            {
                if (instruction.Operand is Type operand) yield return Bare(operand);
                else if (instruction.Operand?.DeclaringType is Type declaring) yield return Bare(declaring);
            }
        }
    }

    /// <summary>The named type behind pointers, references and arrays.</summary>
    private static Type Bare(Type type) => type.HasElementType ? Bare(type.GetElementType()!) : type;
}
