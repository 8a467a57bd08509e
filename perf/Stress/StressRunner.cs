using System;
using System.Globalization;
using System.IO;

namespace Pagoda.Perf.Stress;

/// <summary><c>stress [--seconds N | --minutes N]</c>: every format for its part of the time, real threads.</summary>
internal static class StressRunner
{
    /// <summary>What <c>stress</c> runs without an option.</summary>
    public const double DefaultSeconds = 30;

    /// <summary>Runs and prints.</summary>
    /// <returns>False after the first mismatch, which it prints.</returns>
    public static bool Run(TimeSpan time, TextWriter output)
    {
        // Rounds of about half a minute: destroying and making guests is part of it.
        int rounds = (int)double.Max(1, time.TotalSeconds / DefaultSeconds);
        TimeSpan each = time / (rounds * StressFormat.All.Length);
        ulong seed = 1;
        for (int round = 0; round < rounds; round++)
        {
            foreach (StressFormat format in StressFormat.All)
            {
                string? failure = StressWorld.Run(format, each, seed, output);
                if (failure is not null)
                {
                    output.WriteLine("stress: " + format + ", seed " + seed + ": " + failure);
                    return false;
                }
                seed += 16;
            }
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"stress: {time.TotalSeconds:F0} s, no mismatch; frames, tables and swap slots are back where they were."));
        return true;
    }

    /// <summary>The time that options ask for; null when they are none.</summary>
    public static TimeSpan? TimeOf(string[] options)
    {
        if (options.Length == 0) return TimeSpan.FromSeconds(DefaultSeconds);
        bool isNumber = options.Length == 2 && double.TryParse(options[1], CultureInfo.InvariantCulture, out double _);
        if (!isNumber) return null;
        double number = double.Parse(options[1], CultureInfo.InvariantCulture);
        if (number <= 0) return null;
        return options[0] switch
        {
            "--seconds" => TimeSpan.FromSeconds(number),
            "--minutes" => TimeSpan.FromMinutes(number),
            _ => null,
        };
    }
}
