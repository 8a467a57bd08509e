using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.Cli;

public sealed class LeafClassTests
{
    [Test]
    public void AClassKeepsWhatItWasMadeOf([Values(1, 2, 3)] int level, [Values] bool isUser, [Values] bool isAccessed,
        [Values] bool isDirty, [Values(Prot.None, Prot.Read, Prot.ReadWrite, Prot.Execute, Prot.All)] Prot rights)
    {
        var facts = new EntryFacts { Rights = rights, IsUser = isUser, IsAccessed = isAccessed, IsDirty = isDirty };
        LeafClass made = LeafClass.Of(level, in facts);

        Assert.That(made.IsLeaf, Is.True);
        Assert.That((made.Level, made.Rights, made.IsUser, made.IsAccessed, made.IsDirty),
            Is.EqualTo((level, rights, isUser, isAccessed, isDirty)));
    }

    [Test]
    public void ATableBoundsTheRightsBelowIt()
    {
        LeafClass leaf = LeafClass.Of(1, new EntryFacts { Rights = Prot.All, IsUser = true, IsDirty = true });
        LeafClass bounded = leaf.Below(new EntryFacts { Rights = Prot.ReadExecute });

        Assert.That((bounded.Rights, bounded.IsUser, bounded.IsDirty), Is.EqualTo((Prot.ReadExecute, false, true)));
        Assert.That(LeafClass.Hole.Below(default), Is.EqualTo(LeafClass.Hole));
        Assert.That(LeafClass.Outside.IsLeaf, Is.False);
    }
}
