using System.Text.Json;
using System.Text.Json.Serialization;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.EventStore.Tests.Projections;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

public enum Mood
{
    Calm,
    Angry,
}

public sealed record MoodNoted(Mood Mood, string Of, Mood? Before);

[JsonDerivedType(typeof(CallerSpoke), "Foreign.CallerSpoke, Foreign")]
[JsonDerivedType(typeof(AgentSpoke), "Foreign.AgentSpoke, Foreign")]
public abstract record Spoken(string Text);

public sealed record CallerSpoke(string Text, string Number) : Spoken(Text);

public sealed record AgentSpoke(string Text) : Spoken(Text);

[JsonSerializable(typeof(MoodNoted))]
[JsonSerializable(typeof(Spoken))]
internal sealed partial class StrictJson : JsonSerializerContext;

[JsonSourceGenerationOptions(AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(Spoken))]
internal sealed partial class LenientJson : JsonSerializerContext;

/// <summary>Names and payloads in the styles in which Marten hosts write them: each is read, or named with a typed error; none is dropped.</summary>
public sealed class MartenPayloadTests : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();

    private MartenHost Marten => new(_postgres);

    public Task InitializeAsync() => _postgres.InitializeAsync();

    public Task DisposeAsync() => _postgres.DisposeAsync();

    private PostgresEventStore StoreOf(params EventTypeEntry[] types) => new(_postgres.Source, new EventTypeMap(types), TimeProvider.System);

    private async Task<List<object>> ReadAsync(PostgresEventStore store, params MartenHost.Event[] events)
    {
        await Marten.StartAsync("acme", "s", null, events);
        await using (store) return await store.ReadStreamAsync("acme", "s").Select(e => store.Serializer.Deserialize(e)).ToListAsync();
    }

    /// <summary>Classic (the default), Smarter (outer.inner), FullTypeName, a generic type, and the suffix of a version.</summary>
    [Theory]
    [InlineData("counter_raised")]
    [InlineData("counters.counter_raised")]
    [InlineData("Foreign.Host.Counters+CounterRaised")]
    [InlineData("Raised<Counter>")]
    [InlineData("counter_raised_v2")]
    public async Task A_name_of_any_style_is_registered_as_it_is_stored(string name)
    {
        var entry = EventTypeEntry.Of(name, FactsJson.Default.CounterRaised);
        Assert.Equal([new CounterRaised(4)], await ReadAsync(StoreOf(entry), new MartenHost.Event(name, """{"By": 4}""")));

        await using var store = StoreOf(entry);
        await store.AppendToStreamAsync("acme", "s", ExpectedVersion.Exact(1), [Facts.Raised(5)]);
        Assert.Equal([$"{name} | 1", $"{name} | 2"], await _postgres.LinesAsync("select type, version from mt_events order by version"));
        Assert.Equal(9, await store.AggregateStreamAsync("acme", "s", 0, Facts.Sum));
    }

    [Fact]
    public async Task A_name_that_nobody_registered_is_read_told_and_parked_and_the_rest_goes_on()
    {
        var last = await Marten.StartAsync("acme", "s", null, new("counter_raised", """{"By": 4}"""), new("Foreign.Host.Unheard", """{"X": 1}"""), new("counter_raised", """{"By": 5}"""));
        var read = await _postgres.Store.ReadAllAsync(0, 10).ToListAsync();
        Assert.Equal(["counter_raised", "Foreign.Host.Unheard", "counter_raised"], read.Select(e => e.EventType));
        Assert.Equal("Foreign.Host.Unheard", Assert.Throws<UnknownEventTypeException>(() => _postgres.Store.Serializer.Deserialize(read[1])).EventType);

        var daemon = new ProjectionDaemon(_postgres.Source, _postgres.Store, [new CounterRows()], TimeProvider.System, new ProjectionOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });
        await daemon.CatchUpAsync();
        Assert.Equal(["9"], await _postgres.LinesAsync("select total from counter_row"));
        Assert.Equal([(last[1], nameof(UnknownEventTypeException))], (await new PostgresCheckpointStore(_postgres.Source).ListParkedAsync(ShardName.Of("CounterRows"))).Select(p => (p.Position, p.ErrorType)));
    }

    /// <summary>Its serializer writes members as they are called and enums as numbers; jsonb puts the keys in an order of its own.</summary>
    [Fact]
    public async Task Members_in_capitals_enums_as_numbers_and_keys_in_any_order_are_read()
    {
        var read = await ReadAsync(
            StoreOf(EventTypeEntry.Of("mood_noted", StrictJson.Default.MoodNoted)),
            new("mood_noted", """{"Mood": 1, "Of": "Ayşe", "Before": 0}"""), new("mood_noted", """{"Of": "Ayşe", "Before": null, "Mood": 0}"""), new("mood_noted", """{"Of": "Ayşe", "Mood": 1, "Unheard": [1, {"a": null}]}"""));
        Assert.Equal([new MoodNoted(Mood.Angry, "Ayşe", Mood.Calm), new MoodNoted(Mood.Calm, "Ayşe", null), new MoodNoted(Mood.Angry, "Ayşe", null)], read);
        Assert.Equal(["Of, Mood, Before"], await _postgres.LinesAsync("select string_agg(k, ', ') from mt_events, jsonb_object_keys(data) k where version = 1"));
    }

    [Fact]
    public async Task Ours_are_written_as_the_host_would_write_them()
    {
        await using var store = StoreOf(EventTypeEntry.Of("mood_noted", StrictJson.Default.MoodNoted));
        await store.AppendToStreamAsync("acme", "s", ExpectedVersion.NoStream, [EventData.Of(new MoodNoted(Mood.Angry, "Ayşe", null))]);
        Assert.Equal(["""{"Of": "Ayşe", "Mood": 1, "Before": null} | mood_noted | Sentiric.EventStore.Tests.Postgres.MoodNoted, Sentiric.EventStore.Tests"""],
            await _postgres.LinesAsync("select data::text, type, mt_dotnet_type from mt_events"));
    }

    /// <summary>Newtonsoft may put the name of the type into the payload. On a plain type it is one member more; where it decides, it need not come first.</summary>
    [Fact]
    public async Task A_dollar_type_member_disturbs_no_plain_type()
    {
        var read = await ReadAsync(
            StoreOf(EventTypeEntry.Of("mood_noted", StrictJson.Default.MoodNoted)),
            new MartenHost.Event("mood_noted", """{"$type": "Foreign.MoodNoted, Foreign", "Mood": 1, "Of": "Ayşe"}"""), new MartenHost.Event("mood_noted", """{"Mood": 1, "Of": "Ayşe", "$type": "Foreign.MoodNoted, Foreign"}"""));
        Assert.Equal([new MoodNoted(Mood.Angry, "Ayşe", null), new MoodNoted(Mood.Angry, "Ayşe", null)], read);
    }

    [Fact]
    public async Task A_dollar_type_that_decides_is_read_wherever_it_stands_when_the_application_allows_it()
    {
        MartenHost.Event[] events =
        [
            // "Text" is shorter than "$type", so jsonb puts it first; "Number" is longer.
            new("spoken", """{"$type": "Foreign.CallerSpoke, Foreign", "Text": "alo", "Number": "+90"}"""),
            new("spoken", """{"$type": "Foreign.AgentSpoke, Foreign", "Text": "buyurun"}"""),
        ];
        Assert.Equal([new CallerSpoke("alo", "+90"), new AgentSpoke("buyurun")], await ReadAsync(StoreOf(EventTypeEntry.Of("spoken", LenientJson.Default.Spoken)), events));
        Assert.StartsWith("""{"Text": "alo", "$type":""", (await _postgres.LinesAsync("select data::text from mt_events order by version"))[0]);

        await using var strict = StoreOf(EventTypeEntry.Of("spoken", StrictJson.Default.Spoken));
        var first = await strict.ReadStreamAsync("acme", "s").FirstAsync();
        Assert.Equal("spoken", Assert.Throws<EventUnreadableException>(() => strict.Serializer.Deserialize(first)).EventType);
    }

    [Fact]
    public async Task Any_number_and_any_text_come_back_as_the_host_wrote_them()
    {
        await Marten.StartAsync("acme", "s", null, new MartenHost.Event("note_taken", """{"Text": "İstanbul ığüşöç \ud83d\ude00 \u2028 \"x\"", "Big": 12345678901234567890.123456789, "Small": 1e-7}"""));
        var read = await _postgres.Store.ReadStreamAsync("acme", "s").SingleAsync();
        Assert.Equal(new NoteTaken("İstanbul ığüşöç 😀 \u2028 \"x\""), _postgres.Store.Serializer.Deserialize(read));
        using var json = JsonDocument.Parse(read.Json);
        Assert.Equal(("12345678901234567890.123456789", "0.0000001"), (json.RootElement.GetProperty("Big").GetRawText(), json.RootElement.GetProperty("Small").GetRawText()));
    }
}
