using System;
using System.Text.Json;
using Pagoda.Diagnostics;

namespace Pagoda.Cli;

/// <summary>The counters of superpages and swap, as every report has them.</summary>
internal static class PressureCounters
{
    private const int Digits = 6;

    /// <summary>Writes them into the object that is open.</summary>
    internal static void Write(Utf8JsonWriter json, GuestCounters counters)
    {
        json.WriteNumber("promotions", counters.Promotions);
        json.WriteNumber("promotionFailures", counters.PromotionFailures);
        json.WriteNumber("promotionsScattered", counters.PromotionsScattered);
        json.WriteNumber("promotionsNotAccessed", counters.PromotionsNotAccessed);
        json.WriteNumber("promotionsDifferent", counters.PromotionsDifferent);
        json.WriteNumber("promotionsRaced", counters.PromotionsRaced);
        json.WriteNumber("promotionsNoFrame", counters.PromotionsNoFrame);
        json.WriteNumber("demotions", counters.Demotions);
        json.WriteNumber("superpages", counters.Superpages);
        json.WriteNumber("gigapages", counters.Gigapages);
        json.WriteNumber("superpageCoverage", Math.Round(counters.SuperpageCoverage, Digits));
        json.WriteNumber("swapIns", counters.SwapIns);
        json.WriteNumber("swapOuts", counters.SwapOuts);
        json.WriteNumber("swapReadBytes", counters.SwapReadBytes);
        json.WriteNumber("swapWriteBytes", counters.SwapWriteBytes);
        json.WriteNumber("zeroPagesElided", counters.ZeroPagesElided);
        json.WriteNumber("cleanEvictions", counters.CleanEvictions);
        json.WriteNumber("poisonedPages", counters.PoisonedPages);
    }
}
