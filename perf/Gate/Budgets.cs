using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Pagoda.Perf.Gate;

/// <summary>How many managed bytes each workload may allocate in one run: perf/budgets.json.</summary>
internal sealed class Budgets(IReadOnlyDictionary<string, long> bytesPerRun)
{
    private const string FileName = "budgets.json";

    /// <summary>Reads the file that the build put beside the program.</summary>
    public static Budgets Load()
    {
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, FileName));
        using JsonDocument document = JsonDocument.Parse(file);
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (JsonProperty entry in document.RootElement.GetProperty("bytesPerRun").EnumerateObject())
        {
            bytes.Add(entry.Name, entry.Value.GetInt64());
        }
        return new Budgets(bytes);
    }

    /// <summary>The budgets of some workloads alone.</summary>
    public Budgets Of(IReadOnlyList<GateCase> cases)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (GateCase item in cases)
        {
            if (bytesPerRun.TryGetValue(item.Name, out long budget)) bytes.Add(item.Name, budget);
        }
        return new Budgets(bytes);
    }

    /// <summary>What is wrong, one message each: too many bytes, no budget, a budget for nothing.</summary>
    public List<string> Check(IReadOnlyList<GateResult> results)
    {
        var wrong = new List<string>();
        var measured = new HashSet<string>(StringComparer.Ordinal);
        foreach (GateResult result in results)
        {
            measured.Add(result.Name);
            if (!bytesPerRun.TryGetValue(result.Name, out long budget))
            {
                wrong.Add(result.Name + " has no budget in " + FileName + ".");
            }
            else if (result.BytesPerRun > budget)
            {
                string bytes = result.BytesPerRun + " bytes a run";
                wrong.Add(result.Name + " allocates " + bytes + "; its budget is " + budget + ".");
            }
        }
        foreach (string name in bytesPerRun.Keys)
        {
            if (!measured.Contains(name)) wrong.Add(FileName + " has a budget for " + name + ", which does not exist.");
        }
        return wrong;
    }
}
