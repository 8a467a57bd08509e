using System;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Boot;

public sealed class KernelImageTests
{
    [TestCase(2)]
    [TestCase(1)]
    [TestCase(0)]      // means 4
    [TestCase(64)]
    public void ThePayloadFollowsTheSetupSectors(int sectors)
    {
        KernelImage image = KernelImage.Parse(new BzImage { SetupSectors = sectors }.ToArray());
        Assert.That(image.Payload.Length, Is.EqualTo(5000));
        Assert.That(image.Payload.Span[0], Is.Zero);
        Assert.That(image.Payload.Span[4999], Is.EqualTo(4999 % 251));
    }

    [Test]
    public void TheHeaderReachesAsFarAsItSaysButNotBeyondItsRoom()
    {
        Assert.That(KernelImage.Parse(new BzImage().ToArray()).Header.Length, Is.EqualTo(0x202 + 0x66 - 0x1F1));
        Assert.That(KernelImage.Parse(new BzImage { HeaderLength = 0xFF }.ToArray()).Header.Length,
            Is.EqualTo(0x290 - 0x1F1));
    }

    [Test]
    public void TheKernelNeedsItsInitSizeOrItsPayload()
    {
        Assert.That(KernelImage.Parse(new BzImage().ToArray()).BytesNeeded, Is.EqualTo(0x20000UL));
        Assert.That(KernelImage.Parse(new BzImage { InitSize = 1 }.ToArray()).BytesNeeded, Is.EqualTo(5000UL));
        Assert.That(KernelImage.Parse(new BzImage { Version = 0x0209 }.ToArray()).BytesNeeded, Is.EqualTo(5000UL));
    }

    [Test]
    public void TheCommandLineLimitComesFromTheHeaderOfNewKernels()
    {
        Assert.That(KernelImage.Parse(new BzImage { CommandLineSize = 99 }.ToArray()).CommandLineBytesMax,
            Is.EqualTo(99));
        Assert.That(KernelImage.Parse(new BzImage { CommandLineSize = uint.MaxValue }.ToArray()).CommandLineBytesMax,
            Is.EqualTo(2047));
        Assert.That(KernelImage.Parse(new BzImage { Version = 0x0205, CommandLineSize = 9 }.ToArray())
            .CommandLineBytesMax, Is.EqualTo(255));
    }

    [Test]
    public void AFileMayEndInsideItsLastParagraphButNotBefore()
    {
        byte[] whole = new BzImage { PayloadBytes = 5008 }.ToArray();
        Assert.That(KernelImage.Parse(whole.AsMemory(0, whole.Length - 15)).Payload.Length, Is.EqualTo(4993));
        Assert.That(() => KernelImage.Parse(whole.AsMemory(0, whole.Length - 16)),
            Throws.TypeOf<MachineException>().With.Message.Contains("truncated"));
    }

    [Test]
    public void BytesBehindThePayloadAreNotLoaded()
    {
        byte[] image = new BzImage { PayloadBytes = 5008 }.ToArray();
        Array.Resize(ref image, image.Length + 1000);
        Assert.That(KernelImage.Parse(image).Payload.Length, Is.EqualTo(5008));
    }

    private static readonly TestCaseData[] s_bad =
    [
        new TestCaseData(Array.Empty<byte>(), "too few").SetName("Empty"),
        new TestCaseData(new byte[0x23B], "too few").SetName("HeaderCutOff"),
        new TestCaseData(new byte[4096], "format is unknown").SetName("Zeros"),
        new TestCaseData(Encoding.ASCII.GetBytes("\u007fELF" + new string('x', 5000)), "ELF").SetName("Elf"),
        new TestCaseData(Encoding.ASCII.GetBytes("MZ" + new string('x', 5000)), "EFI or DOS").SetName("Program"),
        new TestCaseData(new BzImage { Version = 0x0201 }.ToArray(), "older than 2.02").SetName("OldProtocol"),
        new TestCaseData(new BzImage { LoadFlags = 0 }.ToArray(), "zImage").SetName("LoadsLow"),
        new TestCaseData(new BzImage { PayloadBytes = 0 }.ToArray(), "empty").SetName("NoPayload"),
    ];

    [TestCaseSource(nameof(s_bad))]
    public void BadImagesAreRefusedWithTheReason(byte[] image, string reason) =>
        Assert.That(() => KernelImage.Parse(image),
            Throws.TypeOf<MachineException>().With.Message.Contains(reason));

    [Test]
    public void DamagedImagesAreParsedOrRefusedAndNeverReadOutside()
    {
        var random = new SeededGenerator(0xB007);
        byte[] whole = new BzImage().ToArray();
        int accepted = 0;
        for (int round = 0; round < 5000; round++)
        {
            byte[] image = whole.AsSpan(0, random.OneIn(2) ? whole.Length : random.Below(whole.Length)).ToArray();
            for (int i = 0; i < 4 && image.Length > 0; i++)
            {
                int at = random.OneIn(2) ? 0x1F1 + random.Below(0x80) : random.Below(image.Length);
                if (at < image.Length) image[at] = (byte)random.Next();
            }
            try
            {
                KernelImage parsed = KernelImage.Parse(image);
                Assert.That(parsed.Payload.Length, Is.InRange(1, image.Length), random.ToString());
                Assert.That(parsed.Header.Length, Is.LessThanOrEqualTo(0x290 - 0x1F1), random.ToString());
                accepted++;
            }
            catch (MachineException)
            {
            }
        }
        Assert.That(accepted, Is.GreaterThan(100));
    }

    [Test]
    public void TheMemoryTesterIsAKernel()
    {
        KernelImage image = KernelImage.Parse(System.IO.File.ReadAllBytes(Capability.RequireMemoryTester()));
        Assert.That(image.Payload.Length, Is.GreaterThan(100_000));
        Assert.That(image.BytesNeeded, Is.GreaterThan((ulong)image.Payload.Length));
    }
}
