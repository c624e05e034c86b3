using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>Several events of one stream: what an append of a few events is when nobody else waits. Prepared once.</summary>
internal sealed class StreamStatement : IGroupStatement
{
    private readonly NpgsqlParameter<string?> _tenant, _aggregate;
    private readonly StreamIdParameter _stream;
    private readonly NpgsqlParameter<DateTime> _now;
    private readonly NpgsqlParameter<long> _expected;
    private readonly NpgsqlParameter<int> _count;
    private readonly EventArrays _events;

    public StreamStatement(NpgsqlCommand command, EventTables tables)
    {
        Command = command;
        _tenant = Typed<string?>(NpgsqlDbType.Varchar);
        _stream = new StreamIdParameter(command.Parameters, tables);
        _aggregate = Typed<string?>(NpgsqlDbType.Varchar);
        _now = Typed<DateTime>(NpgsqlDbType.TimestampTz);
        _expected = Typed<long>(NpgsqlDbType.Bigint);
        _count = Typed<int>(NpgsqlDbType.Integer);
        _events = new EventArrays(command.Parameters);
    }

    public NpgsqlCommand Command { get; }

    public async ValueTask<Placed?[]> ExecuteAsync(List<StreamShare> streams, DateTimeOffset now)
    {
        var share = streams[0];
        Fill(share, now);
        var positions = new long[share.Events];
        var placed = 0;
        var (version, at) = (0L, default(DateTime));
        try
        {
            await using var row = await Command.ExecuteReaderAsync().ConfigureAwait(false);
            for (; await row.ReadAsync().ConfigureAwait(false); placed++)
            {
                positions[placed] = row.GetInt64(0);
                (version, at) = (row.GetInt64(1), row.GetDateTime(2));
            }
        }
        catch (PostgresException cut) when (placed > 0 && Failures.IsSessionEnded(cut))
        {
            throw new AppendOutcomeUnknownException(cut);
        }
        finally
        {
            _events.Clear();
        }
        return [placed == 0 ? null : new Placed(version, positions, at)];
    }

    private void Fill(StreamShare share, DateTimeOffset now)
    {
        _events.Clear();
        _tenant.TypedValue = share.Address.Tenant;
        _stream.Set(share.Address.StreamId);
        _aggregate.TypedValue = share.AggregateType;
        _now.TypedValue = now.UtcDateTime;
        _expected.TypedValue = share.Expected.Value;
        _count.TypedValue = share.Events;
        foreach (var request in share.Requests) _events.Add(request.Plan.Payloads);
    }

    private NpgsqlParameter<T> Typed<T>(NpgsqlDbType type)
    {
        var parameter = new NpgsqlParameter<T> { NpgsqlDbType = type };
        Command.Parameters.Add(parameter);
        return parameter;
    }
}
