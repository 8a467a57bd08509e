using System.Buffers;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Diagnostics;

namespace Pagoda.Tests.Cli;

public sealed class PressureCountersTests
{
    [Test]
    public void EachCauseOfAFailureStandsUnderItsName()
    {
        JsonElement root = Write(new GuestCounters
        {
            PromotionsScattered = 1, PromotionsNotAccessed = 2, PromotionsDifferent = 3, PromotionsRaced = 4,
            PromotionsNoFrame = 5,
        });
        string[] causes =
        [
            "promotionsScattered", "promotionsNotAccessed", "promotionsDifferent", "promotionsRaced",
            "promotionsNoFrame",
        ];
        for (int i = 0; i < causes.Length; i++)
        {
            Assert.That(root.GetProperty(causes[i]).GetInt32(), Is.EqualTo(i + 1), causes[i]);
        }
        Assert.That(root.GetProperty("promotionFailures").GetInt32(), Is.EqualTo(15));
    }

    [Test]
    public void CoverageIsThePartOfTheResidentPagesInSuperpages()
    {
        JsonElement root = Write(new GuestCounters { ResidentPages = 2048, Superpages = 2 });
        Assert.That(root.GetProperty("superpages").GetInt32(), Is.EqualTo(2));
        Assert.That(root.GetProperty("gigapages").GetInt32(), Is.Zero);
        Assert.That(root.GetProperty("superpageCoverage").GetDouble(), Is.EqualTo(0.5));
    }

    private static JsonElement Write(GuestCounters counters)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            PressureCounters.Write(json, counters);
            json.WriteEndObject();
        }
        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
