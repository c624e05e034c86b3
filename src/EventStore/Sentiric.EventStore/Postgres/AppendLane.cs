using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>Where the events of one append went.</summary>
internal readonly record struct Placed(long Version, long[] Positions);

/// <summary>
/// Group commit: appends that arrive while one commit is under way share the next. One loop owns one connection;
/// a lone append goes at once. Each caller gets its own answer.
/// </summary>
internal sealed class AppendLane : IAsyncDisposable
{
    /// <summary>Appends that may wait; beyond it writers wait for room.</summary>
    private const int Capacity = 4_096;
    private const int MaxAppendsPerCommit = 256;
    private const int MaxBytesPerCommit = 4 * 1024 * 1024;
    private const int MaxDeadlockRetries = 5;

    // A plan made while the tables were empty would scan them for ever: only index paths are left to choose from.
    private const string Settings =
        "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off; set plan_cache_mode = force_generic_plan";

    private readonly NpgsqlDataSource _source;
    private readonly AppendSql _sql;
    private readonly ILogger _logger;
    private readonly Action _committed;
    private readonly Channel<Request> _requests = Channel.CreateBounded<Request>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly Task _loop;
    private NpgsqlConnection? _connection;

    public AppendLane(NpgsqlDataSource source, AppendSql sql, ILogger logger, Action committed)
    {
        (_source, _sql, _logger, _committed) = (source, sql, logger, committed);
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>Null when the row of the stream refused: wrong version or archived.</summary>
    public async ValueTask<Placed?> AppendAsync(StreamPlan plan, DateTimeOffset now, bool remember, CancellationToken ct)
    {
        var request = new Request(plan, now, remember, ct);
        await _requests.Writer.WriteAsync(request, ct).ConfigureAwait(false);
        return await request.Answer.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _requests.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        await DropConnectionAsync().ConfigureAwait(false);
    }

    private async Task LoopAsync()
    {
        var group = new List<Request>(MaxAppendsPerCommit);
        while (await _requests.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            Collect(group);
            if (group.Count > 0) await CommitAsync(group).ConfigureAwait(false);
            group.Clear();
        }
    }

    private void Collect(List<Request> group)
    {
        var bytes = 0;
        while (group.Count < MaxAppendsPerCommit && bytes < MaxBytesPerCommit && _requests.Reader.TryRead(out var request))
        {
            if (request.Caller.IsCancellationRequested) continue;
            group.Add(request);
            bytes += request.Plan.Payloads.Sum(p => p.Json.Length);
        }
        // Every process locks the rows of streams in the same order, so groups do not deadlock.
        if (group.Count > 1) group.Sort(Request.ByStream);
    }

    private async ValueTask CommitAsync(List<Request> group)
    {
        try
        {
            var answers = await ExecuteAsync(group).ConfigureAwait(false);
            for (var i = 0; i < answers.Length; i++) group[i].Answer.TrySetResult(answers[i]);
            _committed();
        }
        catch (PostgresException) when (group.Count > 1 && _connection is { FullState: System.Data.ConnectionState.Open })
        {
            // One of them poisons the rest: nothing was stored, so each goes alone and answers for itself.
            foreach (var request in group) await CommitAloneAsync(request).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            if (_connection is not { FullState: System.Data.ConnectionState.Open }) await LoseConnectionAsync(failure).ConfigureAwait(false);
            foreach (var request in group) request.Answer.TrySetException(failure);
        }
    }

    private async ValueTask CommitAloneAsync(Request request)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                request.Answer.TrySetResult((await ExecuteAsync([request]).ConfigureAwait(false))[0]);
                _committed();
                return;
            }
            catch (PostgresException deadlock) when (deadlock.SqlState == PostgresErrorCodes.DeadlockDetected && attempt < MaxDeadlockRetries)
            {
                continue;
            }
            catch (Exception failure)
            {
                if (_connection is not { FullState: System.Data.ConnectionState.Open }) await LoseConnectionAsync(failure).ConfigureAwait(false);
                request.Answer.TrySetException(failure);
                return;
            }
        }
    }

    /// <summary>One batch, one round trip, one implicit transaction: the answers hold once the reader is through.</summary>
    private async ValueTask<Placed?[]> ExecuteAsync(List<Request> group)
    {
        var connection = await ConnectAsync().ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var request in group) batch.BatchCommands.Add(_sql.Append(request.Plan, request.Now, request.Remember));
        await batch.PrepareAsync().ConfigureAwait(false);
        var answers = new Placed?[group.Count];
        await using (var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false))
        {
            for (var i = 0; i < answers.Length; i++)
            {
                answers[i] = await ReadPlacedAsync(reader, group[i].Plan.Payloads.Length).ConfigureAwait(false);
                await reader.NextResultAsync().ConfigureAwait(false);
            }
        }
        return answers;
    }

    internal static async ValueTask<Placed?> ReadPlacedAsync(NpgsqlDataReader reader, int count)
    {
        var positions = new long[count];
        var (at, version) = (0, 0L);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            positions[at++] = reader.GetInt64(0);
            version = reader.GetInt64(1);
        }
        return at == 0 ? null : new Placed(version, positions);
    }

    private async ValueTask<NpgsqlConnection> ConnectAsync()
    {
        if (_connection is not null) return _connection;
        var connection = await _source.OpenConnectionAsync().ConfigureAwait(false);
        await using var settings = new NpgsqlCommand(Settings, connection);
        await settings.ExecuteNonQueryAsync().ConfigureAwait(false);
        return _connection = connection;
    }

    private async ValueTask LoseConnectionAsync(Exception failure)
    {
        _logger.LaneConnectionLost(failure);
        await DropConnectionAsync().ConfigureAwait(false);
    }

    private async ValueTask DropConnectionAsync()
    {
        if (_connection is { } connection) await connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }

    private sealed record Request(StreamPlan Plan, DateTimeOffset Now, bool Remember, CancellationToken Caller)
    {
        public TaskCompletionSource<Placed?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static int ByStream(Request a, Request b)
        {
            var byTenant = string.CompareOrdinal(a.Plan.Address.Tenant, b.Plan.Address.Tenant);
            return byTenant != 0 ? byTenant : string.CompareOrdinal(a.Plan.Address.StreamId, b.Plan.Address.StreamId);
        }
    }
}
