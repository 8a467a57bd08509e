using System;
using System.Collections.Generic;
using NUnit.Framework;

namespace Pagoda.Tests.Gates;

/// <summary>Collects what a gate found, so that one run shows all of it; keeps its list of exceptions honest.</summary>
/// <param name="exceptions">What the gate lets pass, by name, with the reason.</param>
internal sealed class Violations(IReadOnlyDictionary<string, string> exceptions)
{
    private readonly List<string> _found = [];
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>A gate without exceptions.</summary>
    public Violations() : this(new Dictionary<string, string>()) { }

    /// <summary>Records a violation, unless the subject is a known exception.</summary>
    public void Add(string subject, string message)
    {
        if (exceptions.ContainsKey(subject)) _used.Add(subject);
        else _found.Add(message);
    }

    /// <summary>Fails with everything found, and with every exception that nothing needs any more.</summary>
    public void AssertNone()
    {
        foreach (string subject in exceptions.Keys)
        {
            if (!_used.Contains(subject)) _found.Add("Nothing needs the exception for " + subject + ": remove it.");
        }
        Assert.That(_found, Is.Empty, string.Join('\n', _found));
    }
}
