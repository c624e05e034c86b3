using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>Many events of many streams, prepared once.</summary>
internal sealed class ArrayStatement(NpgsqlCommand command, EventTables tables) : IGroupStatement
{
    private readonly ArrayParameters _parameters = new(command.Parameters, tables);

    public NpgsqlCommand Command => command;

    /// <summary>Which rules occur among the streams, and whether two tenants' streams of one name do.</summary>
    public static (RowRules Rules, bool Namesakes) ShapeOf(List<StreamShare> streams)
    {
        var rules = RowRules.None;
        foreach (var share in streams) rules |= share.Expected.Row().AsFlag();
        return (rules, HaveNamesakes(streams));
    }

    public async ValueTask<Placed?[]> ExecuteAsync(List<StreamShare> streams, DateTimeOffset now)
    {
        _parameters.Fill(streams, now);
        var isDone = false;
        try
        {
            await using var row = await command.ExecuteReaderAsync().ConfigureAwait(false);
            await row.ReadAsync().ConfigureAwait(false);
            isDone = true;
            return ArrayParameters.ReadAnswer(row, streams);
        }
        catch (PostgresException cut) when (isDone && Failures.IsSessionEnded(cut))
        {
            throw new AppendOutcomeUnknownException(cut);
        }
        finally
        {
            _parameters.Clear();
        }
    }

    /// <summary>Streams of one tenant differ in their names.</summary>
    private static bool HaveNamesakes(List<StreamShare> streams)
    {
        var tenant = streams[0].Address.Tenant;
        return streams.Exists(s => s.Address.Tenant != tenant) && streams.DistinctBy(s => s.Address.StreamId).Count() < streams.Count;
    }
}

/// <summary>The parameters of <see cref="AppendSql.Array"/>; the lists are filled anew for each group and let go of its payloads afterwards.</summary>
internal sealed class ArrayParameters
{
    private readonly List<string> _tenants;
    private readonly StreamIdsParameter _streams;
    private readonly List<string?> _aggregates;
    private readonly List<long> _expected;
    private readonly List<int> _counts, _before, _nos;
    private readonly NpgsqlParameter<DateTime> _now;
    private readonly EventArrays _events;

    public ArrayParameters(NpgsqlParameterCollection all, EventTables tables)
    {
        _tenants = all.AddList<string>(NpgsqlDbType.Varchar);
        _streams = new StreamIdsParameter(all, tables);
        _aggregates = all.AddList<string?>(NpgsqlDbType.Varchar);
        _expected = all.AddList<long>(NpgsqlDbType.Bigint);
        _counts = all.AddList<int>(NpgsqlDbType.Integer);
        _before = all.AddList<int>(NpgsqlDbType.Integer);
        all.Add(_now = new NpgsqlParameter<DateTime> { NpgsqlDbType = NpgsqlDbType.TimestampTz });
        _nos = all.AddList<int>(NpgsqlDbType.Integer);
        _events = new EventArrays(all);
    }

    /// <param name="order">As it was given to <see cref="Fill"/>.</param>
    public static Placed?[] ReadAnswer(NpgsqlDataReader row, List<StreamShare> streams, int[]? order = null) => Distribute(
        streams, row.IsDBNull(0) ? [] : row.GetFieldValue<long[]>(0), row.GetFieldValue<long?[]>(1), row.GetFieldValue<DateTime?[]>(2), order);

    private static Placed?[] Distribute(List<StreamShare> streams, long[] positions, long?[] bases, DateTime?[] ats, int[]? order)
    {
        var answers = new Placed?[streams.Count];
        var (taken, before) = (0, 0);
        for (var at = 0; at < answers.Length; at++)
        {
            var i = order?[at] ?? at;
            var events = streams[i].Events;
            if (bases[i] is { } start)
            {
                // Without a number although the row agreed: another stream refused, and they are stored together or not at all.
                var mine = positions.Length == 0 ? [] : positions[taken..(taken + events)];
                answers[i] = new Placed(start + before + events, mine, ats[i].GetValueOrDefault());
                taken += events;
            }
            before += events;
        }
        return answers;
    }

    /// <param name="order">In which order the events of the streams come to lie in the log, as indexes of <paramref name="streams"/>; null: as they stand.</param>
    public void Fill(List<StreamShare> streams, DateTimeOffset now, int[]? order = null)
    {
        Clear();
        _now.TypedValue = now.UtcDateTime;
        for (var i = 0; i < streams.Count; i++)
        {
            var share = streams[i];
            _tenants.Add(share.Address.Tenant);
            _streams.Add(share.Address.StreamId);
            _expected.Add(share.Expected.Value);
            _counts.Add(share.Events);
            _before.Add(0);
            EventArrays.AddUnlessNull(_aggregates, share.AggregateType, i);
        }
        for (var at = 0; at < streams.Count; at++)
        {
            var i = order?[at] ?? at;
            _before[i] = _events.Count;
            foreach (var request in streams[i].Requests) _events.Add(request.Plan.Payloads);
            while (_nos.Count < _events.Count) _nos.Add(i + 1);
        }
    }

    public void Clear()
    {
        _tenants.Clear();
        _streams.Clear();
        _aggregates.Clear();
        _expected.Clear();
        _counts.Clear();
        _before.Clear();
        _nos.Clear();
        _events.Clear();
    }
}
