using System;
using System.Reflection;
using System.Reflection.Emit;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tests.Gates;
using Planted = Pagoda.Core.Planted;

namespace Pagoda.Tests;

public sealed unsafe class PlantedTests
{
    [Test]
    public void TheShippedQuestionIsAConstantThatTheCompilerSeesThrough()
    {
        MethodInfo question = typeof(Planted).GetMethod(nameof(Planted.Is))!;
        byte[] body = question.GetMethodBody()!.GetILAsByteArray()!;
        byte[] constant = [(byte)OpCodes.Ldc_I4_0.Value, (byte)OpCodes.Ret.Value];
        // Debug builds lay the constant down and take it up again on the way out.
        if (body.Length == constant.Length) Assert.That(body, Is.EqualTo(constant));
        Assert.That(question.MethodImplementationFlags & MethodImplAttributes.AggressiveInlining,
            Is.EqualTo(MethodImplAttributes.AggressiveInlining));
        foreach (PlantedFault fault in Enum.GetValues<PlantedFault>()) Assert.That(Planted.Is(fault), Is.False);
    }

    [Test]
    public void NothingOfTheSimulatorIsInTheShippedAssembly()
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        Type[] types = [typeof(Planted), typeof(Shared), typeof(Wait)];
        foreach (Type type in types)
        {
            Assert.That(type.GetProperties(all), Is.Empty, type + " has a property: a hook?");
            foreach (FieldInfo field in type.GetFields(all)) Assert.That(field.IsLiteral, type + "." + field.Name);
        }
    }

    [Test]
    public void EveryRuleThatCanBeBrokenIsAskedForWhereItIsKept()
    {
        foreach (string fault in Enum.GetNames<PlantedFault>())
        {
            if (fault == nameof(PlantedFault.None)) continue;
            int places = 0;
            foreach (SourceFile file in SourceTree.CSharp)
            {
                bool isKernel = file.Path.StartsWith("engine/Paging/", StringComparison.Ordinal);
                if (isKernel && file.Code.Contains("PlantedFault." + fault + ")", StringComparison.Ordinal)) places++;
            }
            Assert.That(places, Is.Positive, fault);
        }
    }

    [Test]
    public void WhatOnlyASimulatorDoesIsADefectElsewhere()
    {
        ulong cell = 0;
        ulong* pointer = &cell;
        Assert.That(() => Planted.PlainStore(pointer, 1), Throws.TypeOf<InvariantException>());
        Assert.That(() => Planted.WakeOne(pointer), Throws.TypeOf<InvariantException>());
        Assert.That(cell, Is.Zero);
    }
}
