using Npgsql;

namespace Sentiric.EventStore;

public sealed partial class PostgresEventStore : IExclusiveStreams
{
    public async ValueTask<IExclusiveStream> LockStreamAsync(string tenant, string streamId, CancellationToken ct = default)
    {
        var address = AddressOf(tenant, streamId);
        await _queue.HoldAsync(address, ct).ConfigureAwait(false);
        return await Failures.GuardAsync<IExclusiveStream>(async () => await PostgresExclusiveStream.OpenAsync(
            _source, _tables, address, Timestamps.Now(_clock), _options.AppendLockTimeout,
            (connection, transaction, version, events, options, token) => AppendExclusivelyAsync(connection, transaction, address, streamId, version, events, options, token),
            () => _queue.Release(address), ct).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private ValueTask<AppendResult> AppendExclusivelyAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, StreamAddress address, string given, long version, IReadOnlyList<EventData> events, AppendOptions options,
        CancellationToken ct)
    {
        var plan = new StreamPlan(address, ExpectedVersion.Exact(version), Payload.Prepare(Serializer, events), options.AggregateType);
        EnsureKept(plan);
        if (plan.Payloads.Length == 0) return ValueTask.FromResult(new AppendResult(address.Tenant, address.StreamId, version, []));
        if (options.Idempotent) RepeatedBatch.EnsureIdsDiffer(address, plan.Payloads);
        return Failures.GuardAsync(async () =>
        {
            try
            {
                // Whom the events are about may stand in the name that was given.
                return await StoreExclusivelyAsync(connection, transaction, (await ProtectedAsync([plan with { Address = address with { StreamId = given } }], ct).ConfigureAwait(false))[0], options.Idempotent, ct).ConfigureAwait(false);
            }
            catch (PostgresException refused) when (MartenRefusal.Of(refused) is not null)
            {
                throw await ToldAsync(refused, [plan], ct).ConfigureAwait(false) ?? new EventDataRejectedException("(batch)", refused.MessageText, refused);
            }
        });
    }

    private async ValueTask<AppendResult> StoreExclusivelyAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, StreamPlan plan, bool remember, CancellationToken ct)
    {
        List<StreamShare> streams = [new StreamShare(new AppendRequest(plan, remember))];
        var answers = await TogetherStatement.ExecuteAsync(
            connection, _tables, streams, order: null, remember, Timestamps.Now(_clock), _options, PostgresExclusiveStream.DropPlaceholder(_tables, plan.Address), ct).ConfigureAwait(false);
        if (answers[0] is not { } placed)
        {
            // The row is ours, so it can only be remembered already.
            await transaction.RollbackAsync(ct).ConfigureAwait(false);
            return await EarlierAsync(plan, ct).ConfigureAwait(false) ?? throw await RefusalAsync(plan, ct).ConfigureAwait(false);
        }
        if (_inline.Any) await _inline.ApplyAsync(connection, InlineProjections.Recorded(streams, answers), ct).ConfigureAwait(false);
        await AppendTransaction.CommitAsync(transaction).ConfigureAwait(false);
        _feed.Announce();
        return Result(plan, placed);
    }
}
