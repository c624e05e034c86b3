using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Sentiric.Contracts.Events;
using Sentiric.Testing;

namespace Sentiric.Contracts.Tests.Events;

public sealed partial class EventCatalogTests
{
    public static TheoryData<string> StoredNames => [.. EventCatalog.All.Select(k => k.StoredName)];

    /// <summary>A difference here breaks every store that exists: give the new shape a new name or an upcaster.</summary>
    [Theory]
    [MemberData(nameof(StoredNames))]
    public void The_stored_json_of_an_event_stays_as_approved(string storedName)
    {
        var kind = EventCatalog.ForStoredName(storedName)!;
        var example = EventExamples.Of(kind.Type);
        var stored = JsonSerializer.Serialize(example, EventCatalog.StoredJson(kind.Type));
        var wire = JsonSerializer.Serialize(example, EventCatalog.WireJson(kind.Type));
        Golden.Check(
            $"// {kind.StoredName} v{kind.Version}, routing key {kind.RoutingKey}\n// stored\n{Pretty(stored)}\n// on the wire\n{Pretty(wire)}",
            "tests", "Sentiric.Contracts.Tests", "Events", "approved", storedName + ".json");
    }

    [Theory]
    [MemberData(nameof(StoredNames))]
    public void An_event_comes_back_from_its_json_as_it_was(string storedName)
    {
        var kind = EventCatalog.ForStoredName(storedName)!;
        var stored = JsonSerializer.Serialize(EventExamples.Of(kind.Type), EventCatalog.StoredJson(kind.Type));
        var back = JsonSerializer.Deserialize(stored, EventCatalog.StoredJson(kind.Type))!;
        Assert.Equal(stored, JsonSerializer.Serialize(back, EventCatalog.StoredJson(kind.Type)));
    }

    [Theory]
    [MemberData(nameof(StoredNames))]
    public void An_envelope_decodes_to_the_same_event(string storedName)
    {
        var kind = EventCatalog.ForStoredName(storedName)!;
        var id = Guid.CreateVersion7();
        var envelope = EventEnvelope.Of(EventExamples.Of(kind.Type), id, Streams.Call(id), 7, DateTimeOffset.UnixEpoch, "demo");
        var json = JsonSerializer.Serialize(envelope, EnvelopeJson.Default.EventEnvelope);
        var back = JsonSerializer.Deserialize(json, EnvelopeJson.Default.EventEnvelope)!;
        Assert.Equal(kind.RoutingKey, back.Type);
        Assert.Equal(id, back.CallId);
        Assert.Equal(kind.Type, back.Decode()!.GetType());
    }

    [Fact]
    public void An_envelope_of_an_unknown_type_decodes_to_nothing()
    {
        var envelope = new EventEnvelope(
            Guid.Empty, "weather.changed", 1, "x", 1, DateTimeOffset.UnixEpoch, "demo", null, null, null, null, JsonDocument.Parse("{}").RootElement);
        Assert.Null(envelope.Decode());
    }

    [Fact]
    public void Stored_names_and_routing_keys_are_unique_and_well_formed()
    {
        Assert.Equal(EventCatalog.All.Count, EventCatalog.All.Select(k => k.StoredName).Distinct().Count());
        Assert.Equal(EventCatalog.All.Count, EventCatalog.All.Select(k => k.RoutingKey).Distinct().Count());
        Assert.All(EventCatalog.All, k => Assert.Matches(SnakeCase(), k.StoredName));
        Assert.All(EventCatalog.All, k => Assert.Matches(Dotted(), k.RoutingKey));
    }

    [Fact]
    public void The_routing_keys_of_the_seed_are_there() => Assert.Empty(new[]
    {
        "call.started", "call.answered", "call.ended", "call.media.playback.finished", "call.recording.available", "user.identified.for_call",
        "user.created.for_call", "media.quality", "dialog.turn.completed",
    }.Except(EventCatalog.All.Select(k => k.RoutingKey)));

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Pretty(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json), Indented);

    [GeneratedRegex("^[a-z]+(_[a-z0-9]+)*$")]
    private static partial Regex SnakeCase();

    [GeneratedRegex(@"^[a-z]+(\.[a-z_0-9]+)+$")]
    private static partial Regex Dotted();
}
