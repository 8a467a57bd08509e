using System;
using System.Buffers.Binary;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Boot;

namespace Pagoda.Tests.Machine.Boot;

public sealed class BootPlanTests
{
    private static readonly MemoryMap s_map = new(4UL << 20, 46);

    [Test]
    public void AKernelStartsAtOneMebibyteWithItsPayload()
    {
        KernelImage kernel = KernelImage.Parse(new BzImage().ToArray());
        BootPlan plan = BootPlan.ForKernel(kernel, "console=ttyS0", s_map);
        Assert.That(plan.EntryPoint, Is.EqualTo(0x100000u));
        Assert.That(SegmentAt(plan, 0x100000), Is.EqualTo(kernel.Payload.ToArray()));
        Assert.That(Encoding.ASCII.GetString(SegmentAt(plan, BootPlan.CommandLineGpa)), Is.EqualTo("console=ttyS0\0"));
    }

    [Test]
    public void SegmentsAreFlatAtTheProtocolsSelectors()
    {
        byte[] table = SegmentAt(BootPlan.ForProgram(0x10000, new byte[1], s_map), BootPlan.GdtGpa);
        Assert.That(table, Has.Length.EqualTo(BootPlan.GdtLimit + 1));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(table), Is.Zero);
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(table.AsSpan(0x10)), Is.EqualTo(0x00CF_9B00_0000_FFFFUL));
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(table.AsSpan(0x18)), Is.EqualTo(0x00CF_9300_0000_FFFFUL));
    }

    [Test]
    public void SegmentsLieInMemoryAndDoNotOverlap()
    {
        KernelImage kernel = KernelImage.Parse(new BzImage { CommandLineSize = 2047 }.ToArray());
        BootPlan plan = BootPlan.ForKernel(kernel, new string('x', 2047), s_map);
        ulong end = 0x1000;
        foreach (BootSegment segment in plan.Segments)
        {
            Assert.That(segment.Gpa, Is.GreaterThanOrEqualTo(end));
            end = segment.Gpa + (ulong)segment.Data.Length;
            Assert.That(end <= MemoryMap.HoleStart || (segment.Gpa >= MemoryMap.ExtendedStart && end <= s_map.LowEnd));
        }
    }

    [TestCase(0x300000u, true)]
    [TestCase(0x300001u, false)]
    [TestCase(uint.MaxValue, false)]
    public void AKernelMustFitBelowTheEndOfMemory(uint initSize, bool fits)
    {
        KernelImage kernel = KernelImage.Parse(new BzImage { InitSize = initSize }.ToArray());
        if (fits) Assert.That(() => BootPlan.ForKernel(kernel, "", s_map), Throws.Nothing);
        else Assert.That(() => BootPlan.ForKernel(kernel, "", s_map), Refuses("more memory"));
    }

    [Test]
    public void TheCommandLineMustFitAndHaveNoZero()
    {
        KernelImage kernel = KernelImage.Parse(new BzImage { CommandLineSize = 10 }.ToArray());
        Assert.That(() => BootPlan.ForKernel(kernel, "0123456789", s_map), Throws.Nothing);
        Assert.That(() => BootPlan.ForKernel(kernel, "0123456789a", s_map), Refuses("shorten"));
        Assert.That(() => BootPlan.ForKernel(kernel, "a\0b", s_map), Refuses("zero byte"));
    }

    private static NUnit.Framework.Constraints.Constraint Refuses(string reason) =>
        Throws.TypeOf<MachineException>().With.Message.Contains(reason);

    private static byte[] SegmentAt(BootPlan plan, ulong gpa)
    {
        foreach (BootSegment segment in plan.Segments)
        {
            if (segment.Gpa == gpa) return segment.Data.ToArray();
        }
        Assert.Fail($"nothing at {gpa:x}");
        return [];
    }
}
