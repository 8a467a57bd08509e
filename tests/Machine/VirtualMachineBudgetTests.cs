using System;
using System.IO;
using System.Text;
using NUnit.Framework;
using Pagoda.Diagnostics;
using Pagoda.Linux;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.PageTables;
using Pagoda.Pagers;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

public sealed class VirtualMachineBudgetTests
{
    private const ulong Megabyte = 1UL << 20;
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pagoda-budget-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase(TableKind.Ept, true, true)]
    [TestCase(TableKind.Ept, false, true)]
    [TestCase(TableKind.Ept, false, false)]
    [TestCase(TableKind.Rvi, true, false)]
    public void AGuestWithTheLeastMemoryFindsEveryByteAndTwoRunsAgree(TableKind tables, bool hardwareAd,
        bool superpages)
    {
        GuestCounters first = Run(tables, hardwareAd, superpages);
        GuestCounters second = Run(tables, hardwareAd, superpages);
        Assert.That(first.SwapIns, Is.GreaterThan(500));
        Assert.That(first.SwapOuts, Is.GreaterThan(500));
        Assert.That(second, Is.EqualTo(first));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.Empty, "the file went with the run");
    }

    [Test]
    public void AFileThatWasThereIsKeptAndCanBeUsedAgain()
    {
        string path = Path.Combine(_folder, "swap");
        using (new SwapFile(new SwapFileOptions { Path = path, Bytes = 8 * Megabyte }))
        {
        }
        long length = new FileInfo(path).Length;
        for (int i = 0; i < 2; i++)
        {
            using var machine = new VirtualMachine(Swapping(path), new CollectingSink());
            Assert.That(machine.Run().End, Is.EqualTo(RunEnd.Until));
        }
        Assert.That(new FileInfo(path).Length, Is.EqualTo(length), "nor was it shortened");
    }

    [Test]
    public void AForeignFileIsRefusedAndLeftAlone()
    {
        string path = Path.Combine(_folder, "letter");
        File.WriteAllText(path, "not yours");
        Assert.That(() => new VirtualMachine(Swapping(path), new CollectingSink()),
            Throws.TypeOf<SwapException>().With.Message.Contains("is no swap file"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("not yours"));
    }

    [Test]
    public void ASwapFileWithoutALimitAndALimitWithoutASwapFileAreRefused()
    {
        Refused(new MachineOptions
        {
            Memory = Map(), Boot = Boot(), ArenaBytes = 8 * Megabyte, Swap = Path.Combine(_folder, "swap"),
        }, MachineSubject.Swap);
        Refused(new MachineOptions
        {
            Memory = Map(), Boot = Boot(), ArenaBytes = 8 * Megabyte, ResidentBytes = Megabyte,
        }, MachineSubject.Resident);
        Refused(new MachineOptions
        {
            Memory = Map(), Boot = Boot(), ArenaBytes = 8 * Megabyte, Superpages = false,
            Policy = SuperpagePolicy.Superpage,
        }, MachineSubject.Policy);
    }

    [TestCase(3 * Megabyte, "more than the guest's memory")]
    [TestCase(Megabyte, "too few")]
    [TestCase(Megabyte + 100, "whole number of pages")]
    public void ALimitThatMakesNoSenseIsRefused(ulong resident, string message) =>
        Assert.That(Refused(Swapping(Path.Combine(_folder, "swap"), resident), MachineSubject.Resident),
            Does.Contain(message));

    [Test]
    public void APageThatTheSwapFileLostEndsTheRunLikeAMachineCheck()
    {
        string path = Path.Combine(_folder, "swap");
        using (new SwapFile(new SwapFileOptions { Path = path, Bytes = 4 * Megabyte }))
        {
        }
        using var machine = new VirtualMachine(Swapping(path, until: "never"), new CollectingSink());
        RunResult result = machine.Run(new Spoiler(path));
        Assert.That(result.End, Is.EqualTo(RunEnd.Error));
        Assert.That(result.Message, Does.StartWith("machine check: the page at GPA 0x").And.Contain("swap file"));
        Assert.That(result.Counters.PoisonedPages, Is.GreaterThan(0));
    }

    private static MemoryMap Map() => new(2 * Megabyte, CpuidModel.PhysBits);

    private static BootPlan Boot() =>
        BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(), Map());

    private static string Refused(MachineOptions options, MachineSubject subject)
    {
        MachineException? refused = Assert.Throws<MachineException>(
            () => new VirtualMachine(options, new CollectingSink()).Dispose());
        Assert.That(refused!.Subject, Is.EqualTo(subject));
        return refused.Message;
    }

    private static MachineOptions Swapping(string path, ulong resident = 0, string until = "ascending,  address: ",
        TableKind tables = TableKind.Ept, bool hardwareAd = true, bool superpages = true) => new()
    {
        Memory = Map(),
        Boot = Boot(),
        ArenaBytes = 8 * Megabyte,
        Tables = tables,
        HardwareAd = hardwareAd,
        Superpages = superpages,
        ResidentBytes = resident == 0 ? VirtualMachine.ResidentBytesMin(2 * Megabyte) : resident,
        Swap = path,
        Until = Encoding.ASCII.GetBytes(until),
        ErrorCountGpa = MemoryCheckProgram.ErrorCountGpa,
    };

    private GuestCounters Run(TableKind tables, bool hardwareAd, bool superpages)
    {
        using var machine = new VirtualMachine(Swapping(Path.Combine(_folder, "swap"), until: "descending, address: ",
            tables: tables, hardwareAd: hardwareAd, superpages: superpages), new CollectingSink());
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(RunEnd.Until), result.Message);
        Assert.That(machine.Arena.Allocator.FreeFrames, Is.GreaterThan(0));
        return result.Counters;
    }

    /// <summary>Overwrites every slot of a swap file whenever it is called, past its lock.</summary>
    private sealed unsafe class Spoiler(string path) : IRunObserver
    {
        public void Observe(in RunProgress progress)
        {
            byte[] name = Encoding.UTF8.GetBytes(path + '\0');
            byte* page = stackalloc byte[4096];
            new Span<byte>(page, 4096).Fill(0xDB);
            fixed (byte* first = name)
            {
                Assert.That(Libc.Open(first, Libc.O_RDWR, 0, out int fd), Is.Zero);
                Assert.That(Libc.Length(fd, out long length), Is.Zero);
                for (long at = 4096; at < length; at += 4096) _ = Libc.Pwrite(fd, page, 4096, at, out _);
                Assert.That(Libc.Close(fd), Is.Zero);
            }
        }
    }
}
