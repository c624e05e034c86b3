using Npgsql;

namespace Sentiric.EventStore;

/// <summary>The statements of one connection, each prepared when it is first used. Used by one caller at a time.</summary>
internal sealed class AppendStatements(NpgsqlConnection connection, EventTables tables, int timeoutSeconds) : IAsyncDisposable
{
    private readonly Dictionary<(RowRule, bool), ScalarStatement> _scalars = [];
    private readonly Dictionary<(RowRules, bool, bool), ArrayStatement> _arrays = [];

    public async ValueTask<ScalarStatement> ScalarAsync(RowRule rule, bool remember)
    {
        if (_scalars.TryGetValue((rule, remember), out var known)) return known;
        var statement = new ScalarStatement(Command(AppendSql.Scalar(rule, remember)), tables);
        await statement.Command.PrepareAsync().ConfigureAwait(false);
        return _scalars[(rule, remember)] = statement;
    }

    public async ValueTask<ArrayStatement> ArrayAsync(List<StreamShare> streams, bool remember)
    {
        var (rules, namesakes) = ArrayStatement.ShapeOf(streams);
        if (_arrays.TryGetValue((rules, remember, namesakes), out var known)) return known;
        var statement = new ArrayStatement(Command(AppendSql.Array(rules, remember, together: false, namesakes)), tables);
        await statement.Command.PrepareAsync().ConfigureAwait(false);
        return _arrays[(rules, remember, namesakes)] = statement;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var statement in _scalars.Values) await statement.Command.DisposeAsync().ConfigureAwait(false);
        foreach (var statement in _arrays.Values) await statement.Command.DisposeAsync().ConfigureAwait(false);
    }

    private NpgsqlCommand Command(string sql) => new(sql, connection) { CommandTimeout = timeoutSeconds };
}
