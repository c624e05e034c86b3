using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>Many events of many streams, prepared once.</summary>
internal sealed class ArrayStatement(NpgsqlCommand command, EventTables tables)
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

    /// <summary>Per stream where its events went, in the order given; null where its row refused.</summary>
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
    private readonly List<string> _tenants, _types, _dotnets;
    private readonly StreamIdsParameter _streams;
    private readonly List<string?> _aggregates, _correlations, _causations, _actors;
    private readonly List<long> _expected;
    private readonly List<int> _counts, _before, _nos;
    private readonly NpgsqlParameter<DateTime> _now;
    private readonly List<Guid> _ids;
    private readonly List<ReadOnlyMemory<byte>> _data;
    private readonly List<byte[]?> _headers;
    private readonly NpgsqlParameterCollection _all;

    public ArrayParameters(NpgsqlParameterCollection all, EventTables tables)
    {
        _all = all;
        _tenants = Many<string>(NpgsqlDbType.Varchar);
        _streams = new StreamIdsParameter(all, tables);
        _aggregates = Many<string?>(NpgsqlDbType.Varchar);
        _expected = Many<long>(NpgsqlDbType.Bigint);
        _counts = Many<int>(NpgsqlDbType.Integer);
        _before = Many<int>(NpgsqlDbType.Integer);
        _all.Add(_now = new NpgsqlParameter<DateTime> { NpgsqlDbType = NpgsqlDbType.TimestampTz });
        _nos = Many<int>(NpgsqlDbType.Integer);
        _ids = Many<Guid>(NpgsqlDbType.Uuid);
        _types = Many<string>(NpgsqlDbType.Varchar);
        _dotnets = Many<string>(NpgsqlDbType.Varchar);
        _data = Many<ReadOnlyMemory<byte>>(NpgsqlDbType.Jsonb);
        _correlations = Many<string?>(NpgsqlDbType.Varchar);
        _causations = Many<string?>(NpgsqlDbType.Varchar);
        _headers = Many<byte[]?>(NpgsqlDbType.Jsonb);
        _actors = Many<string?>(NpgsqlDbType.Varchar);
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
            AddUnlessNull(_aggregates, share.AggregateType, i);
        }
        for (var at = 0; at < streams.Count; at++)
        {
            var i = order?[at] ?? at;
            _before[i] = _ids.Count;
            foreach (var request in streams[i].Requests) AddEvents(request.Plan.Payloads, i + 1);
        }
    }

    private void AddEvents(Payload[] payloads, int no)
    {
        foreach (var payload in payloads)
        {
            var (metadata, at) = (payload.Event.Metadata, _ids.Count);
            _nos.Add(no);
            _ids.Add(payload.Event.EventId);
            _types.Add(payload.Name);
            _dotnets.Add(DotnetName.Of(payload.Event.Data.GetType()));
            _data.Add(payload.Json);
            AddUnlessNull(_correlations, metadata.CorrelationId, at);
            AddUnlessNull(_causations, metadata.CausationId, at);
            AddUnlessNull(_headers, HeaderJson.Of(metadata), at);
            AddUnlessNull(_actors, metadata.Actor, at);
        }
    }

    /// <summary>A list without values stays empty and costs nothing: the server takes what is missing at its end as null.</summary>
    private static void AddUnlessNull<T>(List<T?> list, T? value, int at) where T : class
    {
        if (value is null) return;
        while (list.Count < at) list.Add(null);
        list.Add(value);
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
        _ids.Clear();
        _types.Clear();
        _dotnets.Clear();
        _data.Clear();
        _correlations.Clear();
        _causations.Clear();
        _headers.Clear();
        _actors.Clear();
    }

    private List<T> Many<T>(NpgsqlDbType type)
    {
        var list = new List<T>();
        _all.Add(new NpgsqlParameter<List<T>> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = list });
        return list;
    }
}
