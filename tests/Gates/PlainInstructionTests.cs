using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.Intrinsics.X86;
using System.Threading;
using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests.Gates;

/// <summary>
/// The shipped accesses to shared state are the instruction and nothing else: no hook, no state, no branch on a mode.
/// </summary>
public sealed class PlainInstructionTests
{
    /// <summary>
    /// Arguments, the call, the return; for a fence, which of two. Built for a debugger, a result goes through a local.
    /// </summary>
#if DEBUG
    private const int InstructionsMax = 16;
#else
    private const int InstructionsMax = 8;
#endif

    private static readonly HashSet<Type> s_instructions =
        [typeof(Volatile), typeof(Interlocked), typeof(Sse), typeof(Shared)];

    [Test]
    public void SharedHasNoState()
    {
        Assert.That(IlReader.FieldsOf(typeof(Shared)), Has.All.Property(nameof(FieldInfo.IsLiteral)).True);
        Assert.That(IlReader.PropertiesOf(typeof(Shared)), Is.Empty);
    }

    [Test]
    public void SharedCallsNothingButInstructions()
    {
        foreach (MethodBase method in IlReader.MethodsOf(typeof(Shared)))
        {
            List<IlInstruction> body = IlReader.Read(method);
            Assert.That(body, Has.Count.LessThanOrEqualTo(InstructionsMax), IlReader.NameOf(method));
            foreach (IlInstruction instruction in body)
            {
                if (instruction.Operand is not MethodBase called) continue;
                Assert.That(s_instructions, Does.Contain(called.DeclaringType), IlReader.NameOf(method));
            }
        }
    }

    [Test]
    public void AWaitKeepsItsStepsAlone()
    {
        foreach (FieldInfo field in IlReader.FieldsOf(typeof(Wait)))
            Assert.That(field.IsLiteral || !field.IsStatic, Is.True, field.Name);
    }
}
