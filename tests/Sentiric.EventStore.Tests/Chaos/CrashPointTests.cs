using Sentiric.EventStore.Tests.Chaos.Model;
using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>
/// The wire breaks before every single message of a run, request or answer: what was acknowledged is there exactly once, what was not is there whole
/// or not at all, and repeating it idempotently makes it exactly once.
/// </summary>
[Trait("Category", "Slow")]
public sealed class CrashPointTests
{
    private const int MaxMessages = 1_000, MaxTries = 8;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Wherever_the_wire_breaks_an_append_is_whole_or_not_there_and_repeating_makes_it_once(bool beforeAnswers)
    {
        await using var stage = await PostgresStage.CreateAsync();
        await AppendAsync(stage.Store, "warm", []); // connections are open and statements known
        for (var message = 1; ; message++)
        {
            Assert.True(message < MaxMessages, $"The run has more than {MaxMessages} messages.");
            var (before, stream) = (stage.Wire.Passed, $"cut-{message}");
            stage.Wire.Arm(beforeAnswers, message, all: message % 3 == 0);
            var acknowledged = new List<EventData[]>();
            var unheard = await AppendAsync(stage.Store, stream, acknowledged);
            await stage.QuietAsync();
            await CheckAsync(stage, stream, acknowledged, unheard, $"cut before {(beforeAnswers ? "answer" : "request")} message {message}");
            var passed = beforeAnswers ? stage.Wire.Passed.Answers - before.Answers : stage.Wire.Passed.Requests - before.Requests;
            if (unheard is null && passed < message) return; // the run ended before the break: every message had its turn
        }
    }

    /// <summary>Three batches one after the other, then two streams together; gives back the batch whose answer did not come.</summary>
    private static async Task<EventData[]?> AppendAsync(PostgresEventStore store, string stream, List<EventData[]> acknowledged)
    {
        for (var batch = 0; batch < 4; batch++)
        {
            var events = Facts.Raised(3, batch);
            try
            {
                if (batch == 3) await TogetherAsync(store, stream, events);
                else await store.AppendToStreamAsync("acme", stream, ExpectedVersion.Exact(batch * 3), events, new AppendOptions(Idempotent: batch != 1));
                acknowledged.Add(events);
            }
            catch (EventStoreUnavailableException)
            {
                return events;
            }
        }
        return null;
    }

    private static ValueTask<IReadOnlyList<AppendResult>> TogetherAsync(PostgresEventStore store, string stream, EventData[] events) => store.AppendToStreamsAsync(
        "acme", [new StreamAppend(null, stream, ExpectedVersion.Exact(9), events), new StreamAppend(null, stream + "-twin", ExpectedVersion.NoStream, events)]);

    private static async Task CheckAsync(PostgresStage stage, string stream, List<EventData[]> acknowledged, EventData[]? unheard, string where)
    {
        var ids = await IdsAsync(stage.Look, stream);
        var sure = acknowledged.SelectMany(b => b).Select(e => e.EventId).ToList();
        Assert.True(sure.SequenceEqual(ids.Take(sure.Count)), $"{where}: an acknowledged append is not there as it was acknowledged.");
        var rest = ids.Skip(sure.Count).ToList();
        Assert.True(rest.Count == 0 || rest.SequenceEqual((unheard ?? []).Select(e => e.EventId)), $"{where}: an append is there in part: {rest.Count} events.");
        var twin = await IdsAsync(stage.Look, stream + "-twin");
        if (acknowledged.Count >= 3) Assert.True(twin.SequenceEqual(ids.Skip(9)), $"{where}: one of two streams was appended without the other.");
        if (unheard is null || acknowledged.Count is 1 or 3) return; // not appended idempotently

        var repeated = await RepeatAsync(stage.Store, stream, sure.Count, unheard);
        Assert.True(repeated.AlreadyStored == (rest.Count > 0), $"{where}: the repetition says {repeated}, but {rest.Count} events were there.");
        Assert.True((await IdsAsync(stage.Look, stream)).SequenceEqual(sure.Concat(unheard.Select(e => e.EventId))), $"{where}: the repetition did not make it exactly once.");
    }

    /// <summary>The break may have left more than one dead connection behind; each is told once.</summary>
    private static async Task<AppendResult> RepeatAsync(PostgresEventStore store, string stream, int version, EventData[] events)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.AppendToStreamAsync("acme", stream, ExpectedVersion.Exact(version), events, new AppendOptions(Idempotent: true));
            }
            catch (EventStoreUnavailableException) when (attempt < MaxTries)
            {
                continue;
            }
        }
    }

    private static async Task<List<Guid>> IdsAsync(PostgresEventStore store, string stream) =>
        await store.ReadStreamAsync("acme", stream).Select(e => e.EventId).ToListAsync();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Wherever_the_wire_breaks_a_projection_applies_each_event_once()
    {
        await using var stage = await PostgresStage.CreateAsync();
        var last = (await stage.Look.AppendToStreamAsync("acme", "a", ExpectedVersion.Any, Facts.Raised(12, 2))).LastPosition;
        for (var message = 1; ; message++)
        {
            Assert.True(message < MaxMessages, $"The run has more than {MaxMessages} messages.");
            var name = $"Crash{message}";
            var isCut = await CatchUpCutAsync(stage, name, message);
            await stage.QuietAsync();
            await new ProjectionDaemon(stage.Wired, stage.Store, [new PositionRows(name)], TimeProvider.System).CatchUpAsync();
            Assert.Equal(await PositionRows.ExpectedAsync(stage.Direct), await PositionRows.ActualAsync(stage.Direct, name));
            Assert.Equal(last, await new PostgresCheckpointStore(stage.Direct).LoadAsync(ShardName.Of(name)));
            if (!isCut) return;
        }
    }

    /// <summary>True when the wire broke before the projection was through.</summary>
    private static async Task<bool> CatchUpCutAsync(PostgresStage stage, string name, int message)
    {
        var before = stage.Wire.Passed.Answers;
        stage.Arm(new Cut(IsAnswer: true, message, BreaksAll: false));
        try
        {
            await new ProjectionDaemon(stage.Wired, stage.Store, [new PositionRows(name)], TimeProvider.System).CatchUpAsync();
            return stage.Wire.Passed.Answers - before >= message;
        }
        catch (Exception broken) when (broken is EventStoreUnavailableException or Npgsql.NpgsqlException or IOException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
            return true;
        }
    }
}
