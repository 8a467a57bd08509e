using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class ExclusiveSectionTests
{
    [Test]
    public void ThoseWhoDoNotExecuteAreNotWaitedFor()
    {
        using var section = new ExclusiveSection(3);
        for (int i = 0; i < 3; i++) Assert.That(section.Join(), Is.EqualTo(i));
        section.Enter(0);
        section.Enter(1);
        section.Exit(1);
        Assert.That(section.TryBegin(0), Is.True);
        Assert.That((section.IsOwner(0), section.IsWanted(0)), Is.EqualTo((true, false)));
        Assert.That((section.IsOwner(1), section.IsWanted(1)), Is.EqualTo((false, true)));
        Assert.That(section.TryBegin(0), Is.True, "it has it already");
        Assert.That(section.TryBegin(1), Is.False);
        section.End(0);
        Assert.That(section.IsWanted(1), Is.False);
        Assert.That(() => section.End(0), Throws.TypeOf<InvariantException>());
        Assert.That(section.Join, Throws.TypeOf<InvariantException>(), "it was made for three");
    }

    [Test]
    public void ThreadsThatTakeTurnsInTheSectionLoseNoUpdateAndDoNotWaitForEachOther()
    {
        const int Threads = 4;
        const int Rounds = 5_000;
        using var section = new ExclusiveSection(Threads);
        ulong* words = stackalloc ulong[2];
        ulong* shared = words;
        int torn = 0;
        var threads = new Thread[Threads];
        for (int i = 0; i < Threads; i++)
        {
            int member = section.Join();
            threads[i] = new Thread(() =>
            {
                section.Enter(member);
                for (int done = 0; done < Rounds;)
                {
                    // Executing: both words belong together unless somebody is in the section.
                    if (shared[0] != shared[1]) Interlocked.Increment(ref torn);
                    if (section.TryBegin(member))
                    {
                        shared[0]++;
                        shared[1]++;
                        section.End(member);
                        done++;
                    }
                    if (!section.IsWanted(member)) continue;
                    section.Exit(member);
                    section.Enter(member);
                }
                section.Exit(member);
            });
        }
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.That((shared[0], shared[1], torn), Is.EqualTo(((ulong)Threads * Rounds, (ulong)Threads * Rounds, 0)));
    }
}
