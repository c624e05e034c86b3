using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore
{
    public ValueTask<AppendResult> AppendToStreamAsync(
        string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events,
        AppendOptions? options = null, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var chosen = options ?? AppendOptions.Default;
        var plan = new StreamPlan(_tables.Address(tenant, streamId), expected, Payload.Prepare(Serializer, events), chosen.AggregateType);
        EnsureKept(plan);
        if (plan.Payloads.Length == 0) return Failures.GuardAsync(() => NothingAsync(plan with { Address = AddressOf(tenant, streamId) }, ct));
        if (chosen.Idempotent) RepeatedBatch.EnsureIdsDiffer(plan.Address, plan.Payloads);
        return _options.Protection is { } protection ? ProtectedAsync(protection, plan, chosen.Idempotent, ct) : AppendAsync(plan, chosen.Idempotent, ct);
    }

    public ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        var plan = StreamPlan.Of(Serializer, _tables.Address, tenant, appends);
        foreach (var one in plan) EnsureKept(one);
        return Failures.GuardAsync(async () => await AppendTogetherAsync(await ProtectedAsync(plan, ct).ConfigureAwait(false), ct).ConfigureAwait(false));
    }

    private void EnsureKept(StreamPlan plan)
    {
        if (_tables.KeepsAll) return;
        foreach (var payload in plan.Payloads) _tables.EnsureKept(payload.Name, payload.Event.Metadata);
    }

    private async ValueTask<AppendResult> NothingAsync(StreamPlan plan, CancellationToken ct) => new(
        plan.Address.Tenant, plan.Address.StreamId, (await StateAsync(plan.Address, ct).ConfigureAwait(false))?.Version ?? 0, []);

    private async ValueTask<AppendResult> AppendAsync(StreamPlan plan, bool remember, CancellationToken ct)
    {
        using var activity = StoreTelemetry.TraceAppend(plan);
        try
        {
            if (await _queue.AppendAsync(plan, remember, ct).ConfigureAwait(false) is { } placed) return Result(plan, placed);
            if (remember && await EarlierAsync(plan, ct).ConfigureAwait(false) is { } earlier) return earlier;
            throw await RefusalAsync(plan, ct).ConfigureAwait(false);
        }
        catch (PostgresException raced) when (remember && raced.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The same batch was stored in between, by a twin of this caller.
            if (await Failures.GuardAsync(() => EarlierAsync(plan, ct)).ConfigureAwait(false) is { } twin) return twin;
            if (await ToldAsync(raced, [plan], ct).ConfigureAwait(false) is { } told) throw told;
            throw;
        }
        catch (PostgresException refused) when (MartenRefusal.Of(refused) is not null)
        {
            throw await ToldAsync(refused, [plan], ct).ConfigureAwait(false) ?? new EventDataRejectedException("(batch)", refused.MessageText, refused);
        }
        catch (Exception failure) when (Failures.Translate(failure) is { } typed)
        {
            throw typed;
        }
    }

    private static AppendResult Result(StreamPlan plan, Placed placed) =>
        new(plan.Address.Tenant, plan.Address.StreamId, placed.Version, placed.Positions);

    /// <summary>All rows, then all events, in one statement; it is taken back when one of the rows refused, and no number is drawn.</summary>
    private async ValueTask<IReadOnlyList<AppendResult>> AppendTogetherAsync(IReadOnlyList<StreamPlan> plan, CancellationToken ct)
    {
        if (plan.Count == 0) return [];
        var streams = plan.Select(p => new StreamShare(new AppendRequest(p, remember: false))).ToList();
        streams.Sort(static (a, b) => StreamAddress.Compare(a.Address, b.Address));
        // The rows are locked in one order for all processes; the events lie in the log as the caller named their streams.
        var order = plan.Select(p => streams.FindIndex(s => s.Address == p.Address)).ToArray();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var placed = await StoreTogetherAsync(streams, order, ct).ConfigureAwait(false);
                return [.. plan.Select(p => Result(p, placed[p.Address]))];
            }
            catch (PostgresException deadlock) when (deadlock.SqlState == PostgresErrorCodes.DeadlockDetected && attempt < MaxDeadlockTries)
            {
                _logger.AppendRetried(deadlock, attempt);
            }
            catch (PostgresException refused) when (MartenRefusal.Of(refused) is not null)
            {
                throw await ToldAsync(refused, plan, ct).ConfigureAwait(false) ?? new EventDataRejectedException("(batch)", refused.MessageText, refused);
            }
            catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                throw new StreamLockedException(string.Join("', '", streams.Select(s => s.Address.StreamId)), locked);
            }
        }
    }

    private async ValueTask<Dictionary<StreamAddress, Placed>> StoreTogetherAsync(List<StreamShare> streams, int[] order, CancellationToken ct)
    {
        using var activity = StoreTelemetry.TraceAppend(streams[0].Requests[0].Plan);
        var started = StoreTelemetry.StartAppend();
        await using var connection = await _source.OpenOwnAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        var answers = await TogetherStatement
            .ExecuteAsync(connection, _tables, streams, order, remember: false, Timestamps.Now(_clock), _options, before: null, ct).ConfigureAwait(false);
        var refused = Array.FindIndex(order, i => answers[i] is null);
        if (refused >= 0)
        {
            await transaction.RollbackAsync(ct).ConfigureAwait(false);
            throw await RefusalAsync(streams[order[refused]].Requests[0].Plan, ct).ConfigureAwait(false);
        }
        if (_inline.Any) await _inline.ApplyAsync(connection, InlineProjections.Recorded(streams, answers, order), ct).ConfigureAwait(false);
        await AppendTransaction.CommitAsync(transaction).ConfigureAwait(false);
        StoreTelemetry.Appended(started, 1, answers);
        _feed.Announce();
        var placed = new Dictionary<StreamAddress, Placed>(streams.Count);
        for (var i = 0; i < answers.Length; i++) placed[streams[i].Address] = answers[i].GetValueOrDefault();
        return placed;
    }

    /// <summary>Why the row of the stream refused, as far as it can still be told.</summary>
    private async ValueTask<EventStoreException> RefusalAsync(StreamPlan plan, CancellationToken ct)
    {
        StoreTelemetry.Refused();
        var state = await StateAsync(plan.Address, ct).ConfigureAwait(false);
        if (state is { IsArchived: true }) return new StreamArchivedException(plan.Address.StreamId);
        if (state is null && _tables.IsStrict && plan.Expected.Row() != RowRule.GoOn) return new StreamIdUsedException(plan.Address.StreamId);
        return new WrongExpectedVersionException(plan.Address.StreamId, plan.Expected, state?.Version ?? 0);
    }

    private async ValueTask<AppendResult?> EarlierAsync(StreamPlan plan, CancellationToken ct)
    {
        await using var command = _source.CreateCommand(
            "select event_id, stream_id, seq_id, version from sx_append_key where tenant_id = $1 and event_id = any($2)");
        command.Parameters.Add(new() { Value = plan.Address.Tenant });
        command.Parameters.Add(new() { Value = Array.ConvertAll(plan.Payloads, p => p.Event.EventId), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var stored = new List<StoredKey>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            stored.Add(new StoredKey(rows.GetGuid(0), rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3)));
        return RepeatedBatch.Find(plan.Address, plan.Payloads, stored);
    }
}
