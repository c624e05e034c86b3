using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// One connection that commits one group after the other. Used by one caller at a time, whom <see cref="AppendQueue"/> names.
/// A group is one statement, one round trip, one implicit transaction: its answers hold once the reader is through.
/// </summary>
internal sealed class AppendLane(
    NpgsqlDataSource source, EventTables tables, InlineProjections inline, TimeProvider clock, PostgresEventStoreOptions options, ILogger logger, Action committed)
    : IAsyncDisposable
{
    private const int MaxTries = 5;

    private NpgsqlConnection? _connection;
    private AppendStatements? _statements;

    // A statement went out and its answer is not in yet.
    private bool _isUnderWay;

    private bool IsConnected => _connection is { FullState: ConnectionState.Open };

    /// <summary>It had one when it was last used; whether it still works shows with the next statement.</summary>
    public bool HasConnection => _connection is not null;

    public async ValueTask ConnectAsync()
    {
        if (_connection is not null) return;
        var connection = await source.OpenOwnAsync().ConfigureAwait(false);
        try
        {
            await using var settings = new NpgsqlCommand(AppendSession.Settings(options.AppendLockTimeout), connection);
            await settings.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        _statements = new AppendStatements(connection, tables, (int)options.AppendTimeout.TotalSeconds);
        _connection = connection;
    }

    /// <summary>Every request of the group has its answer afterwards. Never throws.</summary>
    public async ValueTask CommitAsync(AppendGroup group)
    {
        group.Sort();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await StoreAsync(group).ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (attempt < MaxTries && WasTakenBack(failure))
            {
                logger.AppendRetried(failure, attempt);
                if (!IsConnected) await DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (IsRowLocked(group, failure) && group.Streams.Count > 1)
            {
                // The row is locked for all appends of its stream: one by one each of them would keep the lane waiting.
                foreach (var share in group.Streams) await CommitAsync(AppendGroup.Of(share)).ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (
                group.Appends > 1 && IsConnected && failure is PostgresException or InlineProjectionException && !IsRowLocked(group, failure))
            {
                // One of them poisons the rest: nothing was stored, so each goes alone and answers for itself.
                foreach (var request in group.Requests.ToList()) await CommitAsync(AppendGroup.Of(request)).ConfigureAwait(false);
                return;
            }
            catch (Exception failure)
            {
                await FailAsync(group, failure).ConfigureAwait(false);
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_statements is { } statements) await statements.DisposeAsync().ConfigureAwait(false);
        if (_connection is { } connection) await connection.DisposeAsync().ConfigureAwait(false);
        (_statements, _connection) = (null, null);
    }

    private async ValueTask StoreAsync(AppendGroup group)
    {
        _isUnderWay = false;
        await ConnectAsync().ConfigureAwait(false);
        if (group is { Appends: 1, Events: 1 } && !inline.Any)
        {
            await StoreOneAsync(group.Streams[0].Requests[0]).ConfigureAwait(false);
            return;
        }
        var statement = await Statements.GroupAsync(group.Streams, group.Remember).ConfigureAwait(false);
        var started = StoreTelemetry.StartAppend();
        var answers = inline.Any
            ? await StoreWithProjectionsAsync(statement, group.Streams).ConfigureAwait(false)
            : await StoreAsync(statement, group.Streams).ConfigureAwait(false);
        StoreTelemetry.Appended(started, group.Appends, answers);
        if (Array.Exists(answers, a => a is not null)) committed();
        for (var i = 0; i < answers.Length; i++) await AnswerAsync(group.Streams[i], answers[i]).ConfigureAwait(false);
    }

    private async ValueTask<Placed?[]> StoreAsync(IGroupStatement statement, List<StreamShare> streams)
    {
        _isUnderWay = true;
        var answers = await statement.ExecuteAsync(streams, Timestamps.Now(clock)).ConfigureAwait(false);
        _isUnderWay = false;
        return answers;
    }

    /// <summary>Nothing is under way, as far as the outcome goes, before the commit is sent.</summary>
    private async ValueTask<Placed?[]> StoreWithProjectionsAsync(IGroupStatement statement, List<StreamShare> streams)
    {
        await using var transaction = await Connection.BeginTransactionAsync().ConfigureAwait(false);
        var answers = await statement.ExecuteAsync(streams, Timestamps.Now(clock)).ConfigureAwait(false);
        await inline.ApplyAsync(Connection, InlineProjections.Recorded(streams, answers), CancellationToken.None).ConfigureAwait(false);
        await AppendTransaction.CommitAsync(transaction).ConfigureAwait(false);
        return answers;
    }

    private async ValueTask StoreOneAsync(AppendRequest request)
    {
        var scalar = await Statements.ScalarAsync(request.Plan.Expected.Row(), request.Remember).ConfigureAwait(false);
        _isUnderWay = true;
        var started = StoreTelemetry.StartAppend();
        var placed = await scalar.ExecuteAsync(request, Timestamps.Now(clock)).ConfigureAwait(false);
        _isUnderWay = false;
        StoreTelemetry.Appended(started, 1, placed is null ? 0 : 1);
        if (placed is not null) committed();
        request.Complete(placed);
    }

    private NpgsqlConnection Connection => _connection ?? throw new InvalidOperationException("The lane is not connected.");

    private AppendStatements Statements => _statements ?? throw new InvalidOperationException("The lane is not connected.");

    private async ValueTask AnswerAsync(StreamShare share, Placed? answer)
    {
        if (answer is null && share.Requests.Count > 1)
        {
            // One of those that share the stream was refused: who it was shows when each goes alone.
            foreach (var request in share.Requests) await CommitAsync(AppendGroup.Of(request)).ConfigureAwait(false);
            return;
        }
        if (answer is not { } placed || share.Requests.Count == 1)
        {
            share.Requests[0].Complete(answer);
            return;
        }
        var taken = 0;
        foreach (var request in share.Requests)
        {
            var positions = placed.Positions[taken..(taken + request.Events)];
            taken += request.Events;
            request.Complete(placed with { Version = placed.Version - share.Events + taken, Positions = positions });
        }
    }

    /// <summary>The database said that it took the statement back, and the next try may fare better: a deadlock, or a session that was ended from outside.</summary>
    private bool WasTakenBack(Exception failure) => failure is PostgresException told
        && (told.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure
            || (_connection is not null && Failures.IsSessionEnded(told)));

    /// <summary>Somebody else keeps a stream; without remembered ids and projections there is no other row to wait for.</summary>
    private bool IsRowLocked(AppendGroup group, Exception failure) =>
        failure is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } && IsConnected && !group.Remember && !inline.Any;

    private async ValueTask FailAsync(AppendGroup group, Exception failure)
    {
        var typed = Typed(group, failure);
        if (_connection is not null && !IsConnected)
        {
            logger.LaneConnectionLost(failure);
            await DisposeAsync().ConfigureAwait(false);
        }
        foreach (var request in group.Requests) request.Fail(typed);
    }

    private Exception Typed(AppendGroup group, Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } => new StreamLockedException(group.Streams[0].Address.StreamId, failure),
        PostgresException or EventStoreException => failure,
        _ when !_isUnderWay => failure,
        _ when !IsConnected => new AppendOutcomeUnknownException(failure),
        NpgsqlException { InnerException: TimeoutException } => new EventStoreUnavailableException(
            $"The database took longer than {options.AppendTimeout.TotalSeconds:0} s for an append, which was cancelled; nothing was appended.", failure),
        _ => failure,
    };
}
