using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;

namespace Sentiric.Write.Calls;

/// <summary>
/// What the realtime roles report, in order. Facts that fit are stored even when another one of the same report does not: the end of a call
/// must not be lost because a late word came with it. The refusal then names the first fact that was left out.
/// </summary>
public sealed class CallJournal(IEventStore store) : ICallJournal
{
    public const int MaxTries = 8;

    /// <summary>Calls whose state is kept at hand; the oldest are read again from the store when they speak up.</summary>
    public const int MaxRemembered = 4_096;

    /// <summary>A realtime role reports every few hundred milliseconds; more than this at once is a fault.</summary>
    public const int MaxFacts = 1_000;

    private const int Lanes = 64;

    private readonly RememberedCalls _remembered = new(MaxRemembered);

    // Reports of one call queue up here instead of racing at the store; two calls that share a lane merely wait for each other.
    private readonly SemaphoreSlim[] _lanes = [.. Enumerable.Range(0, Lanes).Select(_ => new SemaphoreSlim(1, 1))];

    public async ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct)
    {
        if (entries.FirstOrDefault(e => JournalStreams.Fitting(stream, e.Event) is null) is { } misfit)
        {
            return new Refusal("journal.invalid", $"{misfit.Event.GetType().Name} does not belong into the stream '{stream}'.");
        }

        if (entries.Count > MaxFacts)
        {
            return new Refusal("journal.too_large", $"A report has at most {MaxFacts} facts.");
        }

        var lane = _lanes[(uint)string.GetHashCode(stream, StringComparison.Ordinal) % Lanes];
        await lane.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return await TellAsync(tenant, stream, entries, ct).ConfigureAwait(false);
        }
        catch (Exception unstorable) when (unstorable is EventDataRejectedException or EventTooLargeException)
        {
            return new Refusal("journal.invalid", unstorable.Message);
        }
        finally
        {
            lane.Release();
        }
    }

    private async ValueTask<Result<Done>> TellAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var (state, version) = _remembered.Find(tenant, stream) ?? await ReadAsync(tenant, stream, ct).ConfigureAwait(false);
            var report = Report.Of(stream, state, entries);
            if (await StoredAsync(tenant, stream, version, report, ct).ConfigureAwait(false))
            {
                return report.Refusal is { } refusal ? refusal : Done.It;
            }

            _remembered.Forget(tenant, stream);
        }

        return new Refusal("journal.conflict", $"Others wrote to '{stream}' {MaxTries} times meanwhile; report it again.");
    }

    private async ValueTask<bool> StoredAsync(string tenant, string stream, long version, Report report, CancellationToken ct)
    {
        try
        {
            if (report.Accepted.Count > 0)
            {
                await store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Exact(version), report.Accepted, ct: ct).ConfigureAwait(false);
            }

            _remembered.Keep(tenant, stream, report.After, version + report.Accepted.Count);
            return true;
        }
        catch (WrongExpectedVersionException)
        {
            return false;
        }
    }

    private async ValueTask<(Call State, long Version)> ReadAsync(string tenant, string stream, CancellationToken ct)
    {
        var (state, version) = (Call.Initial, 0L);
        await foreach (var recorded in store.ReadStreamAsync(tenant, stream, ct: ct).ConfigureAwait(false))
        {
            state = store.Serializer.Deserialize(recorded) is IFact fact ? state.Evolve(recorded.EventId, fact) : state;
            version = recorded.Version;
        }

        return (state, version);
    }

    /// <summary>What a report adds to a stream, and the first "no" in it.</summary>
    private sealed record Report(Call After, IReadOnlyList<EventData> Accepted, Refusal? Refusal)
    {
        public static Report Of(string stream, Call state, IReadOnlyList<JournalEntry> entries)
        {
            var accepted = new List<EventData>();
            Refusal? refusal = null;
            foreach (var entry in entries)
            {
                var fact = (IFact)entry.Event;
                var decision = Decide(stream, state, entry.EventId, fact);
                refusal ??= decision.Refusal;
                if (decision.Facts.Count > 0)
                {
                    accepted.Add(new EventData(entry.EventId, fact, new EventMetadata(Actor: entry.Actor, OccurredAt: fact.At)));
                    state = state.Evolve(entry.EventId, fact);
                }
            }

            return new(state, accepted, refusal);
        }

        // A registration has no story that a fact could be too early or too late for.
        private static Decision Decide(string stream, Call state, Guid id, IFact fact) =>
            JournalStreams.IsConversation(stream) ? state.Decide(id, fact) : state.Known.Contains(id) ? Decision.Quiet : Decision.Of(fact);
    }
}
