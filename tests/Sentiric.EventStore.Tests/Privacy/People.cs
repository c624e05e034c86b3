using System.Text.Json.Serialization;

namespace Sentiric.EventStore.Tests.Privacy;

public sealed record PersonSeen(string? Who, string? Number, string Name, Visit? Visit, IReadOnlyList<string> Said, IReadOnlyDictionary<string, string> Form, int Age);

public sealed record Visit(string? Note, string Room);

public sealed record LineSaid(string Text, string Tag);

public sealed record NumberTaken(string Who, string Number);

public sealed record NumberGiven(string Who, string Number);

public sealed record PersonErased(Guid Erasure, IReadOnlyList<ErasedStream> Streams);

public sealed record ErasedStream(string Tenant, string Stream);

[JsonSerializable(typeof(PersonSeen))]
[JsonSerializable(typeof(LineSaid))]
[JsonSerializable(typeof(NumberTaken))]
[JsonSerializable(typeof(NumberGiven))]
[JsonSerializable(typeof(PersonErased))]
[JsonSerializable(typeof(Visitors))]
public sealed partial class PeopleJson : JsonSerializerContext;

/// <summary>A small application with something to hide: who was seen, what was said, which number is whose.</summary>
public static class People
{
    public static EventTypeMap Serializer { get; } = new(
    [
        EventTypeEntry.Of("person_seen", PeopleJson.Default.PersonSeen),
        EventTypeEntry.Of("line_said", PeopleJson.Default.LineSaid),
        EventTypeEntry.Of("number_taken", PeopleJson.Default.NumberTaken),
        EventTypeEntry.Of("number_given", PeopleJson.Default.NumberGiven),
        EventTypeEntry.Of("person_erased", PeopleJson.Default.PersonErased),
    ]);

    public static PersonalDataMap Map { get; } = new(
    [
        new("person_seen",
        [
            new("Name"), new("Number", WhenErased.Null), new("Visit.Note", WhenErased.Null), new("Said[]"), new("Form.*"), new("Age"),
        ]),
        new("line_said", [new("Text")]),
        new("number_taken", [new("Number")]),
        new("number_given", [new("Number")]),
    ],
    (_, _, fact) => fact switch
    {
        PersonSeen { Who: { } who } => new SubjectNaming("person:" + who),
        PersonSeen { Number: { } number } => new SubjectNaming(null, Aliases: [number]),
        NumberTaken taken => new SubjectNaming("person:" + taken.Who, Aliases: [taken.Number], Change: AliasChange.Claim),
        NumberGiven given => new SubjectNaming("person:" + given.Who, Aliases: [given.Number], Change: AliasChange.Release),
        _ => null,
    },
    ["number-"],
    new ErasureFact(
        "person_erased", e => new PersonErased(e.ErasureId, [.. e.Streams.Select(s => new ErasedStream(s.Tenant, s.StreamId))]),
        fact => fact is PersonErased erased ? [.. erased.Streams.Select(s => new SubjectStream(s.Tenant, s.Stream))] : []));

    public static PersonSeen Seen(string who, string name = "Ayşe Yılmaz") => new(
        who, "+905321234567", name, new Visit("ağrısı var", "7"), ["merhaba", "yarın gelirim"], new Dictionary<string, string> { ["adres"] = "Gül Sokak 5" }, 41);

    public static IReadOnlyList<string> Texts { get; } = ["Ayşe", "5321234567", "ağrısı", "merhaba", "yarın gelirim", "Gül Sokak"];
}

/// <summary>A state with somebody's words in it: who came and what was said, in order.</summary>
public sealed record Visitors(string Text)
{
    public static Visitors None { get; } = new("");

    public static Visitors Evolve(Visitors state, object @event) => @event switch
    {
        PersonSeen seen => new Visitors($"{state.Text}{seen.Name};"),
        LineSaid said => new Visitors($"{state.Text}{said.Text};"),
        _ => state,
    };

    public static Aggregate<Visitors> Kept(int everyEvents, StateCache<Visitors>? cache = null, Evolve<Visitors>? evolve = null) => new("visitors", None, evolve ?? Evolve)
    {
        Snapshots = new Snapshots<Visitors>(PeopleJson.Default.Visitors, 1) { EveryEvents = everyEvents },
        Cache = cache,
    };
}

/// <summary>One row per line that was said, so that the words of a forgotten person have somewhere to stay behind.</summary>
public sealed class SaidLines : ITableProjection, IStreamRows
{
    private const string Table = "said_line";

    public string Name => "SaidLines";

    public int Version => 1;

    public IReadOnlyList<string> Tables { get; } = [Table];

    public string SchemaSql(string suffix) =>
        $"create table if not exists {Table}{suffix} (tenant text, stream text, version bigint, said text, constraint pkey_{Table}{suffix} primary key (tenant, stream, version));";

    public ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        foreach (var recorded in batch)
        {
            if (writer.Serializer.Deserialize(recorded) is LineSaid line)
                writer.Execute($"insert into {writer.Table(Table)} values ($1, $2, $3, $4)", recorded.Tenant, recorded.StreamId, recorded.Version, line.Text);
        }
        return ValueTask.CompletedTask;
    }

    public void DeleteStream(IProjectionWriter writer, string tenant, string streamId) =>
        writer.Execute($"delete from {writer.Table(Table)} where tenant = $1 and stream = $2", tenant, streamId);
}
