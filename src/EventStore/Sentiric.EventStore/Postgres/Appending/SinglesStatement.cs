using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>One event each of several streams with different names: what a group is when many callers append one event. Prepared once.</summary>
internal sealed class SinglesStatement : IGroupStatement
{
    private readonly List<string> _tenants;
    private readonly StreamIdsParameter _streams;
    private readonly List<string?> _aggregates;
    private readonly List<long> _expected;
    private readonly NpgsqlParameter<DateTime> _now;
    private readonly NpgsqlParameter<int> _count;
    private readonly EventArrays _events;

    public SinglesStatement(NpgsqlCommand command, EventTables tables)
    {
        Command = command;
        var all = command.Parameters;
        _tenants = all.AddList<string>(NpgsqlDbType.Varchar);
        _streams = new StreamIdsParameter(all, tables);
        _aggregates = all.AddList<string?>(NpgsqlDbType.Varchar);
        _expected = all.AddList<long>(NpgsqlDbType.Bigint);
        all.Add(_now = new NpgsqlParameter<DateTime> { NpgsqlDbType = NpgsqlDbType.TimestampTz });
        all.Add(_count = new NpgsqlParameter<int> { NpgsqlDbType = NpgsqlDbType.Integer });
        _events = new EventArrays(all);
    }

    public NpgsqlCommand Command { get; }

    public async ValueTask<Placed?[]> ExecuteAsync(List<StreamShare> streams, DateTimeOffset now)
    {
        Fill(streams, now);
        var answers = new Placed?[streams.Count];
        var (isDone, next) = (false, 0);
        try
        {
            await using var row = await Command.ExecuteReaderAsync().ConfigureAwait(false);
            while (await row.ReadAsync().ConfigureAwait(false))
            {
                isDone = true;
                // In the order of the streams; those that refused are left out.
                var name = row.GetString(1);
                while (!string.Equals(streams[next].Address.StreamId, name, StringComparison.Ordinal)) next++;
                answers[next++] = new Placed(row.GetInt64(2), [row.GetInt64(0)], row.GetDateTime(3));
            }
        }
        catch (PostgresException cut) when (isDone && Failures.IsSessionEnded(cut))
        {
            throw new AppendOutcomeUnknownException(cut);
        }
        finally
        {
            Clear();
        }
        return answers;
    }

    private void Fill(List<StreamShare> streams, DateTimeOffset now)
    {
        Clear();
        (_now.TypedValue, _count.TypedValue) = (now.UtcDateTime, streams.Count);
        for (var i = 0; i < streams.Count; i++)
        {
            var share = streams[i];
            _tenants.Add(share.Address.Tenant);
            _streams.Add(share.Address.StreamId);
            _expected.Add(share.Expected.Value);
            EventArrays.AddUnlessNull(_aggregates, share.AggregateType, i);
            _events.Add(share.Requests[0].Plan.Payloads);
        }
    }

    private void Clear()
    {
        _tenants.Clear();
        _streams.Clear();
        _aggregates.Clear();
        _expected.Clear();
        _events.Clear();
    }
}
