using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The statements of one connection, each prepared when it is first used. Used by one caller at a time.</summary>
internal sealed class AppendStatements(NpgsqlConnection connection, EventTables tables, int timeoutSeconds) : IAsyncDisposable
{
    private readonly Dictionary<(RowRule, bool), ScalarStatement> _scalars = [];
    private readonly Dictionary<(RowRule, bool), StreamStatement> _streams = [];
    private readonly Dictionary<RowRules, SinglesStatement> _singles = [];
    private readonly Dictionary<(RowRules, bool, bool), ArrayStatement> _arrays = [];

    public async ValueTask<ScalarStatement> ScalarAsync(RowRule rule, bool remember)
    {
        if (_scalars.TryGetValue((rule, remember), out var known)) return known;
        var statement = new ScalarStatement(Command(AppendSql.Scalar(tables, rule, remember)), tables);
        await statement.Command.PrepareAsync().ConfigureAwait(false);
        return _scalars[(rule, remember)] = statement;
    }

    /// <summary>The form that serves these streams best; any of them may hold several events and several appends.</summary>
    public async ValueTask<IGroupStatement> GroupAsync(List<StreamShare> streams, bool remember)
    {
        if (streams.Count == 1) return await StreamAsync(streams[0].Expected.Row(), remember).ConfigureAwait(false);
        var (rules, namesakes) = ArrayStatement.ShapeOf(streams);
        return tables is { IsPartitioned: false, IsStrict: false } && !remember && !namesakes && streams.TrueForAll(static s => s.Events == 1)
            ? await SinglesAsync(rules).ConfigureAwait(false)
            : await ArrayAsync(rules, remember, namesakes).ConfigureAwait(false);
    }

    private async ValueTask<StreamStatement> StreamAsync(RowRule rule, bool remember)
    {
        if (_streams.TryGetValue((rule, remember), out var known)) return known;
        var statement = new StreamStatement(Command(AppendSql.Stream(tables, rule, remember)), tables);
        await statement.Command.PrepareAsync().ConfigureAwait(false);
        return _streams[(rule, remember)] = statement;
    }

    private async ValueTask<SinglesStatement> SinglesAsync(RowRules rules)
    {
        if (_singles.TryGetValue(rules, out var known)) return known;
        var statement = new SinglesStatement(Command(AppendSql.Singles(tables, rules)), tables);
        await statement.Command.PrepareAsync().ConfigureAwait(false);
        return _singles[rules] = statement;
    }

    private async ValueTask<ArrayStatement> ArrayAsync(RowRules rules, bool remember, bool namesakes)
    {
        if (_arrays.TryGetValue((rules, remember, namesakes), out var known)) return known;
        var statement = new ArrayStatement(Command(AppendSql.Array(tables, rules, remember, together: false, namesakes)), tables);
        await statement.Command.PrepareAsync().ConfigureAwait(false);
        return _arrays[(rules, remember, namesakes)] = statement;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var statement in _scalars.Values) await statement.Command.DisposeAsync().ConfigureAwait(false);
        foreach (var statement in _streams.Values) await statement.Command.DisposeAsync().ConfigureAwait(false);
        foreach (var statement in _singles.Values) await statement.Command.DisposeAsync().ConfigureAwait(false);
        foreach (var statement in _arrays.Values) await statement.Command.DisposeAsync().ConfigureAwait(false);
    }

    private NpgsqlCommand Command(string sql) => new(sql, connection) { CommandTimeout = timeoutSeconds };
}

/// <summary>Stores the events of a group of streams in one statement.</summary>
internal interface IGroupStatement
{
    /// <summary>Per stream where its events went, in the order given; null where its row refused.</summary>
    ValueTask<Placed?[]> ExecuteAsync(List<StreamShare> streams, DateTimeOffset now);
}
