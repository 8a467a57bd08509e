using System;
using System.Collections.Generic;
using Pagoda.Machine.Dump;

namespace Pagoda.Cli;

/// <summary>An image of physical memory with the roots in it.</summary>
/// <param name="memory">The image; disposed with this.</param>
/// <param name="roots">At least one root.</param>
internal sealed class InspectImage(PhysicalImage memory, InspectRoot[] roots) : IDisposable
{
    /// <summary>The memory.</summary>
    internal PhysicalImage Memory => memory;

    /// <summary>The trees in it.</summary>
    internal InspectRoot[] Roots => roots;

    /// <summary>Opens a flat image.</summary>
    /// <exception cref="CliException">It is empty, or the options describe no root.</exception>
    internal static InspectImage OpenRaw(InspectOptions options)
    {
        InspectRoot root = InspectRoot.FromOptions(options);
        MappedFile file = MappedFile.Open(options.File);
        if (file.Length == 0)
        {
            file.Dispose();
            throw new CliException("FILE: " + options.File + " is empty; give an image of physical memory.");
        }
        return new InspectImage(new PhysicalImage(file, [new ImageExtent(0, file.Length, 0)]), [root]);
    }

    /// <summary>Opens a core.</summary>
    /// <exception cref="CliException">It is no core of ours.</exception>
    internal static InspectImage OpenCore(InspectOptions options)
    {
        MappedFile file = MappedFile.Open(options.File);
        try
        {
            InspectCore core = InspectCore.Read(file, options.File);
            var roots = new InspectRoot[core.Roots.Length];
            for (int i = 0; i < roots.Length; i++) roots[i] = InspectRoot.FromNote(core.Roots[i], options);
            return new InspectImage(new PhysicalImage(file, core.Extents), roots);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The root that <c>--root</c> picks, or the first.</summary>
    /// <exception cref="CliException">None has that register.</exception>
    internal InspectRoot Choose(InspectOptions options)
    {
        if (options.IsRaw || options.Root is null) return roots[0];
        var registers = new List<string>();
        foreach (InspectRoot root in roots)
        {
            if (root.Facts.Register == options.Root) return root;
            registers.Add(Hex.Text(root.Facts.Register));
        }
        throw new CliException("--root: the core has no root " + Hex.Text(options.Root.Value) + "; it has "
            + string.Join(", ", registers) + ".");
    }

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();
}
