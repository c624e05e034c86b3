using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>
/// Every column of every table that counts, changed alone, is found and named. The list comes out of the database itself: a column that somebody adds
/// later is changed here, too, and must be found.
/// </summary>
public sealed class MutationTests(AuditedStore store) : IClassFixture<AuditedStore>
{
    private const string Columns = """
        select table_name, column_name, data_type from information_schema.columns
        where table_schema = current_schema() and (table_name in ('mt_events', 'mt_streams', 'sx_archived_stream', 'sx_stream_move', 'sx_stream_truncation') or table_name like 'sx\_audit\_%') order by table_name, ordinal_position
        """;

    private static readonly string[] Expected = ["mt_events", "mt_streams", "sx_archived_stream", "sx_audit_block", "sx_audit_key", "sx_audit_order", "sx_audit_page", "sx_audit_removal", "sx_audit_stream", "sx_stream_move", "sx_stream_truncation"];

    [Fact]
    public async Task An_untouched_store_is_sound()
    {
        var report = await store.VerifyAsync();
        Assert.True(report.IsSound, string.Join('\n', report.Findings));
        Assert.Equal((AuditedStore.Events, 0), ((int)report.Events, (int)report.Pending));
        Assert.Equal(6, report.Blocks);
        foreach (var tenant in new[] { "acme", "globex", "ünlü" })
        {
            var scoped = await store.VerifyAsync(store.Trusting with { Tenant = tenant });
            Assert.True(scoped.IsSound, string.Join('\n', scoped.Findings));
        }
    }

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("mt_events")]
    [InlineData("mt_streams")]
    [InlineData("sx_audit_block")]
    [InlineData("sx_audit_key")]
    [InlineData("sx_audit_page")]
    [InlineData("sx_audit_removal")]
    [InlineData("sx_audit_order")]
    [InlineData("sx_archived_stream")]
    [InlineData("sx_stream_move")]
    [InlineData("sx_stream_truncation")]
    [InlineData("sx_audit_stream")]
    public async Task Every_change_of_a_single_field_is_found_and_named(string table)
    {
        var mutations = await MutationsAsync(table);
        Assert.NotEmpty(mutations);
        var missed = new List<string>();
        foreach (var mutation in mutations)
        {
            await store.AsSuperuserAsync(mutation.Sql);
            var report = await store.VerifyAsync();
            if (!report.Findings.Any(mutation.IsNamedBy)) missed.Add($"{mutation.Sql}: {(report.IsSound ? "not found" : string.Join("; ", report.Findings))}");
            if (mutation.Scope is { } scope && (await store.VerifyAsync(store.Trusting with { Tenant = scope.Tenant, StreamId = scope.StreamId })).IsSound)
                missed.Add($"{mutation.Sql}: not found by looking at {scope} alone");
            await store.RestoreAsync(table);
        }
        Assert.True(missed.Count == 0, string.Join('\n', missed));
        Assert.True((await store.VerifyAsync()).IsSound, "The store was not set back.");
    }

    [Fact]
    public async Task The_list_of_tables_is_the_one_in_the_database() =>
        Assert.Equal(Expected, (await store.Postgres.LinesAsync(Columns)).Select(l => l.Split(" | ")[0]).Distinct());

    [Trait("Category", "Slow")]
    [Fact]
    public async Task Every_row_that_is_taken_away_is_found()
    {
        foreach (var table in Expected)
        {
            var rows = int.Parse((await store.Postgres.LinesAsync($"select count(*) from {table}"))[0]);
            for (var row = 0; row < rows; row += Math.Max(1, rows / 7))
            {
                await store.AsSuperuserAsync($"delete from {table} where ctid = {RowOf(table, row)}");
                var report = await store.VerifyAsync();
                Assert.True(report.Findings.Any(f => f.Table == table || IsTheRecordOf(table, f) || (table == "sx_audit_key" && f.Kind == AuditFindingKind.SignatureWrong)),
                    $"{table}, row {row}: {string.Join('\n', report.Findings)}");
                await store.RestoreAsync(table);
            }
        }
    }

    // With the newest signature of a removal gone, its record looks like one that was never signed.
    private static bool IsTheRecordOf(string table, AuditFinding found) => table == "sx_audit_removal" && found is { Table: "sx_stream_truncation" or "sx_stream_move", Kind: AuditFindingKind.TrailInserted };

    private async Task<List<Mutation>> MutationsAsync(string table)
    {
        var mutations = new List<Mutation>();
        foreach (var line in (await store.Postgres.LinesAsync(Columns)).Select(l => l.Split(" | ")).Where(l => l[0] == table))
        {
            var rows = (await store.Postgres.LinesAsync($"select {line[1]} is null from {table} order by {KeyOf(table)}")).Select((isNull, at) => (At: at, IsNull: isNull == "True")).ToList();
            // The first, one in the middle, the last, and one of each kind of emptiness.
            var chosen = new[] { rows[0], rows[rows.Count / 2], rows[^1] }.Concat(rows.GroupBy(r => r.IsNull).Select(g => g.First())).Distinct();
            foreach (var (at, isNull) in chosen) mutations.AddRange(await OfAsync(table, line[1], line[2], RowOf(table, at), isNull));
        }
        return mutations;
    }

    private async Task<IEnumerable<Mutation>> OfAsync(string table, string column, string type, string row, bool isNull)
    {
        var values = new List<string> { isNull ? Value(type) : Changed(column, type) };
        if (!isNull && await IsNullableAsync(table, column)) values.Add("null");
        var names = table switch
        {
            "mt_events" => $"select tenant_id, stream_id, version, seq_id from mt_events where ctid = {row}",
            "mt_streams" => $"select tenant_id, id, version, 0 from mt_streams where ctid = {row}",
            _ => "select '', '', 0, 0",
        };
        var name = (await store.Postgres.LinesAsync(names))[0].Split(" | ");
        return values.Select(value => new Mutation(
            table, column, $"update {table} set {column} = {value} where ctid = {row}", name[0], name[1], long.Parse(name[2]), long.Parse(name[3])));
    }

    // Rows move when they are written, so they are found by their place in the order of their keys.
    private static string RowOf(string table, int at) => $"(select ctid from {table} order by {KeyOf(table)} offset {at} limit 1)";

    private static string KeyOf(string table) => table switch
    {
        "mt_events" => "seq_id",
        "mt_streams" => "tenant_id, id",
        "sx_audit_block" => "number",
        "sx_audit_key" => "key_id",
        "sx_audit_order" => "record",
        "sx_audit_page" => "page",
        "sx_audit_removal" => "number",
        "sx_stream_truncation" => "tenant_id, stream_id, before_version",
        "sx_archived_stream" => "tenant_id, stream_id",
        "sx_stream_move" => "tenant_id, stream_id, number",
        _ => "ordinal",
    };

    private async Task<bool> IsNullableAsync(string table, string column) => (await store.Postgres.LinesAsync(
        $"select 1 from information_schema.columns where table_schema = current_schema() and table_name = '{table}' and column_name = '{column}' and is_nullable = 'YES'")).Count == 1;

    // The smallest change that the type allows: the last digit, one bit, one microsecond.
    private static string Changed(string column, string type) => type switch
    {
        "bigint" or "integer" => $"{column} + 1000000",
        "character varying" or "text" => $"{column} || 'x'",
        "jsonb" => $"{column} || '{{\"By\": 7777}}'",
        "bytea" => $"set_byte({column}, length({column}) - 1, get_byte({column}, length({column}) - 1) # 1)",
        "boolean" => $"not {column}",
        "uuid" => "'00000000-0000-7000-8000-ffffffffffff'",
        "timestamp with time zone" => $"{column} + interval '1 microsecond'",
        _ => throw new InvalidOperationException($"Nobody has said how to change a column of type {type}."),
    };

    private static string Value(string type) => type switch
    {
        "bigint" or "integer" => "7",
        "character varying" or "text" => "'x'",
        "jsonb" => "'{\"x\": 1}'",
        "bytea" => "'\\x00'",
        "boolean" => "false",
        "timestamp with time zone" => "'2026-01-01T00:00:00Z'",
        _ => throw new InvalidOperationException($"Nobody has said what to put into an empty column of type {type}."),
    };

    private sealed record Mutation(string Table, string Column, string Sql, string Tenant, string StreamId, long Version, long Position)
    {
        /// <summary>Where a verification of one stream must find it, too.</summary>
        public (string Tenant, string StreamId)? Scope => Table is "mt_events" or "mt_streams" ? (Tenant, StreamId) : null;

        public bool IsNamedBy(AuditFinding found) => Table switch
        {
            "mt_events" when Column == "seq_id" => found.Kind == AuditFindingKind.EventRemoved && IsIt(found),
            "mt_events" when Column == "is_archived" => found.Kind == AuditFindingKind.StreamChanged && IsStream(found) && found.Columns.Contains(Column),
            "mt_events" => found.Kind == AuditFindingKind.EventChanged && IsIt(found) && found.Columns.Contains(Column),
            "mt_streams" when Column is "tenant_id" or "id" => found.Kind == AuditFindingKind.StreamRemoved && IsStream(found),
            "mt_streams" => found.Kind == AuditFindingKind.StreamChanged && IsStream(found) && found.Columns.Contains(Column),
            "sx_audit_key" => found.Table == Table,
            _ => found.Table == Table && (found.Columns.Count == 0 || found.Columns.Contains(Column)),
        };

        private bool IsIt(AuditFinding found) => IsStream(found) && found.Position == Position && found.Version == Version;

        private bool IsStream(AuditFinding found) => found.Tenant == Tenant && found.StreamId == StreamId;
    }
}
