using System;
using System.Buffers.Binary;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>Fills over a real guest, with guest paging off and with two levels of guest tables.</summary>
[TestFixture(TableKind.Ept, true)]
[TestFixture(TableKind.Ept, false)]
[TestFixture(TableKind.Rvi, true)]
public sealed unsafe class GuestMmuTests(TableKind tables, bool hardwareAd)
{
    private const ulong Mebibyte = 1UL << 20;
    private const ulong DeviceGpa = 0x40_0000;
    private const ulong HostGpa = 0x50_0000;
    private const ulong RomGpa = 0x30_0000;
    private const ulong CodeGpa = 0x1_0000;
    private const ulong GuestDirectory = 0x2_0000;
    private const ulong GuestTable = 0x2_1000;
    private const ulong Paged = 0x80_0000;

    private Arena _arena = null!;
    private Guest _guest = null!;
    private GuestConsumer _consumer = null!;
    private CodeLines _code = null!;
    private ExclusiveSection _section = null!;
    private GuestMmu _mmu = null!;
    private RecordingDevice _device = null!;
    private VcpuState _state;

    [SetUp]
    public void MakeGuest()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 16 * Mebibyte });
        _guest = new Guest(_arena, new GuestOptions { Tables = tables, HardwareAd = hardwareAd });
        _guest.MapMemory(new Gpa(0), 2 * Mebibyte);
        _guest.MapRom(new Gpa(RomGpa), new byte[] { 1, 2, 3 });
        _device = new RecordingDevice();
        _guest.MapDevice(new Gpa(DeviceGpa), Paging.PageBytes, _device);
        _guest.MapDevice(new Gpa(HostGpa), Paging.PageBytes, _arena.DirectMap(8 * Mebibyte));
        _consumer = _guest.AddConsumer();
        _code = new CodeLines(_arena);
        _section = new ExclusiveSection(1);
        _mmu = new GuestMmu(_guest, _consumer, _code, _section);
        _state = default;
        Changed();
        Assert.That(_mmu.Enter(), Is.True);
    }

    [TearDown]
    public void DisposeGuest()
    {
        _mmu.Exit();
        _section.Dispose();
        _code.Dispose();
        _consumer.Dispose();
        _guest.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void MemoryIsSuppliedByOneFaultAndThenFound()
    {
        ulong departures = _mmu.Departures;
        Assert.That(Fill(0x5123, Prot.Write, out TlbFill first), Is.EqualTo(FillStatus.Ok));
        Assert.That(_mmu.Departures, Is.GreaterThan(departures));
        departures = _mmu.Departures;
        Assert.That(Fill(0x5456, Prot.Read, out TlbFill second), Is.EqualTo(FillStatus.Ok));
        Assert.That(_mmu.Departures, Is.EqualTo(departures));
        Assert.That((nint)second.HostPage, Is.EqualTo((nint)first.HostPage));
        Assert.That(second.Granted & Prot.ReadWrite, Is.EqualTo(Prot.ReadWrite));
        Assert.That(second.Pfn, Is.Not.Zero);
        Assert.That(second.Gpa, Is.EqualTo(0x5456UL));
    }

    [Test]
    public void AReadGrantsNoWriteWhileTheDirtyBitIsClear()
    {
        Assert.That(Fill(0x5000, Prot.Read, out TlbFill read), Is.EqualTo(FillStatus.Ok));
        Assert.That(read.Granted & Prot.Write, Is.EqualTo(Prot.None));
        Assert.That(Fill(0x5000, Prot.Write, out TlbFill write), Is.EqualTo(FillStatus.Ok));
        Assert.That(write.Granted & Prot.Write, Is.EqualTo(Prot.Write));
        Assert.That(_guest.Counters.DirtyEmulations, Is.EqualTo(hardwareAd ? 0UL : 1UL));
    }

    [Test]
    public void HolesAndWritesToRomAreTheDevicesBusiness()
    {
        Assert.That(Fill(0x20_0000, Prot.Read, out TlbFill hole), Is.EqualTo(FillStatus.Mmio));
        Assert.That(hole.Gpa, Is.EqualTo(0x20_0000UL));
        Assert.That(Fill(RomGpa + 5, Prot.Read, out TlbFill rom), Is.EqualTo(FillStatus.Ok));
        Assert.That(rom.HostPage[1], Is.EqualTo(2));
        Assert.That(Fill(RomGpa + 5, Prot.Write, out TlbFill write), Is.EqualTo(FillStatus.Mmio));
        Assert.That(write.Gpa, Is.EqualTo(RomGpa + 5));
    }

    [Test]
    public void DevicesAnswerThroughTheirCallbacks()
    {
        Assert.That(Fill(DeviceGpa + 8, Prot.Write, out _), Is.EqualTo(FillStatus.Device));
        _mmu.Exit();
        _mmu.WriteDevice(DeviceGpa + 8, 4, 0x1234);
        Assert.That(_mmu.ReadDevice(DeviceGpa + 16, 2), Is.EqualTo(16UL + 2));
        Assert.That(_mmu.ReadDevice(0x20_0000, 2), Is.EqualTo(ulong.MaxValue), "nothing there");
        Assert.That(_device.LastWrite, Is.EqualTo((8UL, 4, 0x1234UL)));
        Assert.That(_mmu.Enter(), Is.True);
    }

    [Test]
    public void HostMemoryBehindADeviceIsReachedDirectlyAndHoldsNoCode()
    {
        Assert.That(Fill(HostGpa + 3, Prot.Write, out TlbFill fill), Is.EqualTo(FillStatus.Ok));
        Assert.That((nint)fill.HostPage, Is.EqualTo((nint)_arena.DirectMap(8 * Mebibyte)));
        Assert.That(fill.Pfn, Is.Zero);
    }

    [Test]
    public void GuestTablesAreFollowedThroughTheNestedOnes()
    {
        MapPage(0x7_0000 | 3);
        Assert.That(Fill(Paged + 0x123, Prot.Write, out TlbFill fill), Is.EqualTo(FillStatus.Ok));
        Assert.That(fill.Gpa, Is.EqualTo(0x7_0123UL));
        Assert.That(Fill(Paged + 0x1000, Prot.Read, out TlbFill absent), Is.EqualTo(FillStatus.PageFault));
        Assert.That(absent.ErrorCode, Is.Zero);
        Assert.That(ReadWord(GuestTable), Is.EqualTo(0x7_0063u), "accessed and dirty, set by the walk");
    }

    [Test]
    public void AGuestPageInAHoleIsMmioAtItsPhysicalAddress()
    {
        MapPage(0x20_1000 | 3);
        Assert.That(Fill(Paged + 0x10, Prot.Read, out TlbFill fill), Is.EqualTo(FillStatus.Mmio));
        Assert.That(fill.Gpa, Is.EqualTo(0x20_1010UL));
    }

    [TestCase(0x20_0000u)]      // a hole
    [TestCase((uint)DeviceGpa)] // a device
    public void AGuestTableOutsideMemoryReadsAsOnesWhichAreReserved(uint table)
    {
        WriteWord(GuestDirectory + (Paged >> 22) * 4, table | 3);
        TurnPagingOn();
        Assert.That(Fill(Paged, Prot.Write, out TlbFill fill), Is.EqualTo(FillStatus.PageFault));
        Assert.That(fill.ErrorCode, Is.EqualTo(0b1011u), "present, write, reserved");
    }

    [Test]
    public void AFullArenaIsAnErrorThatSaysWhere()
    {
        _arena.Allocator.TestHookFailAfter = 0;
        FillStatus status = FillStatus.Ok;
        ulong gpa = 0;
        for (; gpa < 2 * Mebibyte && status == FillStatus.Ok; gpa += Paging.PageBytes)
        {
            status = Fill(gpa, Prot.Write, out _);
        }
        Assert.That(status, Is.EqualTo(FillStatus.Error));
        Assert.That(_mmu.LastFailure, Is.EqualTo(Pagoda.Faults.FaultStatus.OutOfMemory));
        Assert.That(_mmu.LastFailureGpa, Is.EqualTo(gpa - Paging.PageBytes));
    }

    [Test]
    public void DecodedLinesAreWatchedUntilOneIsStoredTo()
    {
        Assert.That(Fill(CodeGpa, Prot.Execute, out TlbFill fill), Is.EqualTo(FillStatus.Ok));
        uint version = *_mmu.CodeVersion(fill.Pfn);
        Assert.That(_mmu.MarkCode(fill.Pfn, 0b0110), Is.True);
        Assert.That(_mmu.MarkCode(fill.Pfn, 0b1000), Is.False);
        Assert.That(_mmu.IsCode(fill.Pfn), Is.True);
        Assert.That(_mmu.CodeStored(fill.Pfn, 0b0001), Is.False);
        Assert.That(_mmu.CodeStored(fill.Pfn, 0b1000), Is.True);
        Assert.That(_mmu.IsCode(fill.Pfn), Is.False);
        Assert.That(*_mmu.CodeVersion(fill.Pfn), Is.Not.EqualTo(version));
    }

    [Test]
    public void ATakenTranslationAsksForAFlush()
    {
        Assert.That(Fill(0x5000, Prot.Write, out _), Is.EqualTo(FillStatus.Ok));
        _mmu.Exit();
        _guest.Protect(new Gpa(0x5000), Paging.PageBytes, Prot.Read);
        ulong flushes = _mmu.Flushes;
        Assert.That(_mmu.Enter(), Is.True);
        Assert.That(_mmu.Flushes, Is.EqualTo(flushes + 1));
        Assert.That(Fill(0x5000, Prot.Write, out _), Is.EqualTo(FillStatus.Mmio));
    }

    [Test]
    public void AGuestWithX86TablesIsRefused()
    {
        using var guest = new Guest(_arena, new GuestOptions { Tables = TableKind.X86 });
        using GuestConsumer consumer = guest.AddConsumer();
        Assert.That(() => new GuestMmu(guest, consumer, _code, _section), Throws.ArgumentException);
    }

    private FillStatus Fill(ulong address, Prot access, out TlbFill fill)
    {
        fixed (VcpuState* state = &_state) return _mmu.Fill(state, address, access, user: false, out fill);
    }

    private void Changed()
    {
        fixed (VcpuState* state = &_state) _mmu.PagingChanged(state);
    }

    private void MapPage(uint entry)
    {
        WriteWord(GuestDirectory + (Paged >> 22) * 4, (uint)GuestTable | 3);
        WriteWord(GuestTable, entry);
        TurnPagingOn();
    }

    private void TurnPagingOn()
    {
        _state.Cr0 = 0x8001_0001;
        _state.Cr3 = GuestDirectory;
        Changed();
    }

    private void WriteWord(ulong gpa, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _mmu.Exit();
        Assert.That(_guest.Write(new Gpa(gpa), bytes), Is.EqualTo(Pagoda.Faults.FaultStatus.Resolved));
        _mmu.Enter();
    }

    private uint ReadWord(ulong gpa)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        _mmu.Exit();
        Assert.That(_guest.Read(new Gpa(gpa), bytes), Is.EqualTo(Pagoda.Faults.FaultStatus.Resolved));
        _mmu.Enter();
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private sealed class RecordingDevice : IDeviceMemory
    {
        public (ulong Offset, int Size, ulong Value) LastWrite { get; private set; }

        public ulong Read(ulong offset, int size) => offset + (ulong)size;

        public void Write(ulong offset, int size, ulong value) => LastWrite = (offset, size, value);
    }
}
