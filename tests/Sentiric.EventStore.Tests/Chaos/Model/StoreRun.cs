using System.Globalization;
using System.Text.RegularExpressions;
using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing;

namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>What a store said to one operation: a sentence for each part of it, null for a part whose answer was lost with the connection.</summary>
internal sealed record Heard(IReadOnlyList<string?> Parts, IReadOnlyList<(long Position, int Part, int Event)> Stored)
{
    public bool IsLost => Parts.Any(p => p is null);

    public static Heard Of(string? sentence) => new([sentence], []);
}

/// <summary>Carries one history out on a real store and tells what happened in the words of <see cref="Sentences"/>.</summary>
internal sealed partial class StoreRun(IEventStore store, ManualTime clock, DateTimeOffset start, string nonce, long startPosition)
{
    /// <summary>A hole in front of the last event is decided within a few looks once the connections are quiet.</summary>
    private const int MaxLooks = 20_000;

    private static readonly IReadOnlyDictionary<string, string> Headers = new Dictionary<string, string> { ["k"] = "ğ\"" };

    // Global positions in the order in which this history's events came to lie; the index is the ordinal less one.
    private readonly List<long> _positions = [];

    public async Task<Heard> PerformAsync(Operation operation)
    {
        switch (operation)
        {
            case Append append: return await AppendAllAsync([append], p => AppendAsync(p));
            case AtOnce atOnce: return await AppendAllAsync(atOnce.Parts, p => AppendAsync(p));
            case FetchAndAppend fetch: return await AppendAllAsync([new Append(fetch.Stream, 0, fetch.Batch, fetch.Count, false)], p => FetchAsync(p));
            case Together together: return await TogetherAsync(together);
            case Tick tick:
                clock.Advance(TimeSpan.FromMicroseconds(tick.Microseconds));
                return Heard.Of("");
            default: return Heard.Of(await TryAsync(() => AskAsync(store, operation)));
        }
    }

    /// <summary>The events of lost parts that are stored all the same.</summary>
    public async Task<List<(long Position, int Part, int Event)>> FindLostAsync(IEventStore look, IReadOnlyList<Append> parts, Heard heard, Func<StreamName, long> knownVersion)
    {
        var found = new List<(long, int, int)>();
        for (var part = 0; part < parts.Count; part++)
        {
            if (heard.Parts.Count > 1 && heard.Parts[part] is not null) continue;
            var at = 0;
            await foreach (var recorded in look.ReadStreamAsync(Tenant(parts[part].Stream), Id(parts[part].Stream), knownVersion(parts[part].Stream) + 1))
                found.Add((recorded.Position, part, at++));
        }
        return found;
    }

    /// <summary>Gives new events their ordinals; says so when one did not land behind all that were acknowledged before.</summary>
    public string? Settle(IEnumerable<long> positions)
    {
        foreach (var position in positions.Order())
        {
            if (_positions.Count > 0 && position <= _positions[^1]) return $"position {position} came after {_positions[^1]} was acknowledged";
            _positions.Add(position);
        }
        return null;
    }

    /// <summary>Everything there is, as <see cref="StoreModel.Whole"/> tells it.</summary>
    public async Task<string> WholeAsync(IEventStore look, IEnumerable<StreamName> streams)
    {
        var lines = new List<string>();
        foreach (var stream in streams.OrderBy(s => s.Tenant).ThenBy(s => s.Stream))
        {
            var state = await AskAsync(look, new AskState(stream));
            if (state != NoSuchStream) lines.Add(state);
        }
        lines.Add(await AskAsync(look, new ReadAll(0, int.MaxValue)));
        return string.Join('\n', lines);
    }

    public Task<string> StateAsync(IEventStore look, StreamName stream) => AskAsync(look, new AskState(stream));

    private const string NoSuchStream = "no such stream";

    private async Task<string> AskAsync(IEventStore from, Operation operation) => operation switch
    {
        Archive archive => await from.ArchiveStreamAsync(Tenant(archive.Stream), Id(archive.Stream)) ? "archived" : NoSuchStream,
        Unarchive unarchive => await Lifecycle(from).UnarchiveStreamAsync(Tenant(unarchive.Stream), Id(unarchive.Stream)) ? "open" : NoSuchStream,
        Truncate truncate => Sentences.Deleted((await Lifecycle(from).TruncateStreamAsync(
            Tenant(truncate.Stream), Id(truncate.Stream), truncate.Before, new TruncationReason("chaos")))?.Events ?? 0),
        ReadStream read => Lines(await from.ReadStreamAsync(Tenant(read.Stream), Id(read.Stream), read.From, read.Max).ToListAsync()),
        ReadAll read => await ReadAllAsync(from, read),
        AskState ask => await from.GetStreamStateAsync(Tenant(ask.Stream), Id(ask.Stream)) is { } s
            ? Sentences.State(ask.Stream, s.Version, s.TruncatedBefore, Moment(s.Created), Moment(s.LastChanged), s.IsArchived)
            : NoSuchStream,
        FoldUpTo fold => Sentences.Fold(await from.AggregateStreamAsync(
            Tenant(fold.Stream), Id(fold.Stream), Array.Empty<string>(), Fold,
            new FoldBound(fold.Version, fold.Moment is { } moment ? start.AddMicroseconds(moment) : null))),
        _ => "",
    };

    private static IStreamLifecycle Lifecycle(IEventStore from) => (IStreamLifecycle)from;

    private async Task<string> ReadAllAsync(IEventStore from, ReadAll read)
    {
        var looks = 0;
        while (_positions.Count > 0 && await from.GetHighWaterMarkAsync() < _positions[^1])
        {
            if (++looks > MaxLooks) return $"the mark did not reach {_positions[^1]} in {MaxLooks} looks";
        }
        var after = read.After == 0 || _positions.Count == 0 ? startPosition : _positions[Math.Min(read.After, _positions.Count) - 1];
        return Lines(await from.ReadAllAsync(after, read.Max).ToListAsync());
    }

    private async Task<Heard> AppendAllAsync(IReadOnlyList<Append> parts, Func<Append, Task<(string, AppendResult?)>> append)
    {
        var stored = new List<(long, int, int)>();
        var calls = parts.Select(part => TryResultAsync(() => append(part))).ToList();
        var answers = await Task.WhenAll(calls);
        for (var part = 0; part < parts.Count; part++)
        {
            if (answers[part]?.Result is { AlreadyStored: false } result) stored.AddRange(result.Positions.Select((p, i) => (p, part, i)));
        }
        return new Heard([.. answers.Select(Say)], stored);
    }

    // Numbers become ordinals only after all parts are settled, so the sentence is completed later.
    private static string? Say((string Seen, AppendResult? Result)? answer) =>
        answer is not { } heard ? null : heard.Result is { } result ? heard.Seen + Unsettled(result) : heard.Seen;

    private static string Unsettled(AppendResult result) => string.Create(
        CultureInfo.InvariantCulture, $"{(result.AlreadyStored ? "known" : "stored")} to version {result.Version} as {string.Join(',', result.Positions.Select(p => "#" + p))}");

    /// <summary>Puts ordinals in the place of the positions (#17) of a sentence, once <see cref="Settle"/> has seen them.</summary>
    public string Complete(string sentence) => Position().Replace(sentence, match => Ordinal(match.Groups[1].Value));

    [GeneratedRegex("#([0-9]+)")]
    private static partial Regex Position();

    private string Ordinal(string position)
    {
        var index = _positions.BinarySearch(long.Parse(position, CultureInfo.InvariantCulture));
        return index < 0 ? "?" + position : (index + 1).ToString(CultureInfo.InvariantCulture);
    }

    private async Task<(string, AppendResult?)> AppendAsync(Append append) => ("", await store.AppendToStreamAsync(
        Tenant(append.Stream), Id(append.Stream), Expected(append), Events(append), new AppendOptions(append.IsIdempotent)));

    private async Task<(string, AppendResult?)> FetchAsync(Append append)
    {
        var handle = await store.FetchForWritingAsync(Tenant(append.Stream), Id(append.Stream), Array.Empty<string>(), Fold);
        var seen = Sentences.Fold(handle.State) + " -> ";
        try
        {
            return (seen, await handle.AppendAsync(Events(append)));
        }
        catch (EventStoreException refused) when (refused is not EventStoreUnavailableException)
        {
            return (seen + Sentence(refused), null);
        }
    }

    private async Task<Heard> TogetherAsync(Together together)
    {
        var stored = new List<(long, int, int)>();
        var sentence = await TryAsync(async () =>
        {
            var results = await store.AppendToStreamsAsync(
                Tenant(together.Parts[0].Stream),
                [.. together.Parts.Select(p => new StreamAppend(Tenant(p.Stream), Id(p.Stream), Expected(p), Events(p)))]);
            for (var part = 0; part < results.Count; part++) stored.AddRange(results[part].Positions.Select((p, i) => (p, part, i)));
            return string.Join(", ", results.Select(Unsettled));
        });
        return new Heard([sentence], stored);
    }

    private static async Task<string?> TryAsync(Func<Task<string>> work)
    {
        var answer = await TryResultAsync(async () => (await work(), null));
        return answer?.Seen;
    }

    private static async Task<(string Seen, AppendResult? Result)?> TryResultAsync(Func<Task<(string, AppendResult?)>> work)
    {
        try
        {
            return await work();
        }
        catch (EventStoreUnavailableException)
        {
            return null;
        }
        catch (Exception refused)
        {
            return (Sentence(refused), null);
        }
    }

    private static string Sentence(Exception refused) => refused switch
    {
        WrongExpectedVersionException wrong => Sentences.Wrong(wrong.Actual),
        StreamArchivedException => Sentences.Archived,
        EventIdReusedException => Sentences.IdReused,
        StreamTruncatedException => Sentences.Truncated,
        TruncationRefusedException => Sentences.NotTruncated,
        ArgumentException => Sentences.BadArgument,
        _ => $"threw {refused.GetType().Name}: {refused.Message}",
    };

    private string Lines(IReadOnlyList<RecordedEvent> events) => string.Join('\n', events.Select(Line));

    private string Line(RecordedEvent recorded)
    {
        var (batch, index) = (BitConverter.ToInt32(recorded.EventId.ToByteArray()), BitConverter.ToInt16(recorded.EventId.ToByteArray(), 4));
        var fact = new Fact(NameOf(recorded), recorded.Version, Sentences.Id(batch, index), Content(store.Serializer.Deserialize(recorded)), Moment(recorded.RecordedAt));
        var line = Sentences.Event(int.TryParse(Ordinal(recorded.Position.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture, out var n) ? n : -1, fact);
        return IsWhole(recorded.Metadata, batch, index) ? line : line + " with metadata " + recorded.Metadata;
    }

    private bool IsWhole(EventMetadata read, int batch, int index)
    {
        var written = Metadata(batch, index);
        return read with { Headers = null } == written with { Headers = null }
            && (read.Headers ?? new Dictionary<string, string>()).SequenceEqual(written.Headers ?? new Dictionary<string, string>());
    }

    private static string[] Fold(string[] state, object @event) => [.. state, Content(@event)];

    private static string Content(object @event) => @event switch
    {
        NoteTaken note => note.Text,
        CounterRaised raised => "by " + raised.By.ToString(CultureInfo.InvariantCulture),
        _ => "unknown " + @event,
    };

    private EventData[] Events(Append append) => [.. Enumerable.Range(0, append.Count).Select(i => new EventData(
        new Guid(append.Batch, (short)i, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        i % 3 == 2 ? new NoteTaken(Sentences.Content(append.Batch, i)) : new CounterRaised(Sentences.Amount(append.Batch, i)),
        Metadata(append.Batch, i)))];

    private EventMetadata Metadata(int batch, int index) => index % 2 == 0
        ? EventMetadata.None
        : new EventMetadata($"c{batch}", $"a{index}", "ayşe", start.AddMinutes(batch), Headers);

    private static ExpectedVersion Expected(Append append) => append.Expected switch
    {
        -2 => ExpectedVersion.Any,
        -1 => ExpectedVersion.StreamExists,
        _ => ExpectedVersion.Exact(append.Expected),
    };

    private StreamName NameOf(RecordedEvent recorded) => new(
        recorded.Tenant.StartsWith(nonce, StringComparison.Ordinal) ? recorded.Tenant[^1] - '0' : -1, recorded.StreamId[^1] - '0');

    private long Moment(DateTimeOffset at) => (at - start).Ticks / TimeSpan.TicksPerMicrosecond;

    private string Tenant(StreamName stream) => string.Create(CultureInfo.InvariantCulture, $"{nonce}-{stream.Tenant}");

    // A guid, so that the same histories fit stores that identify streams by guid.
    private static string Id(StreamName stream) => string.Create(CultureInfo.InvariantCulture, $"5e9a0000-0000-7000-8000-00000000000{stream.Stream}");
}
