using Npgsql;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>The tables, column by column: a Marten host drops whatever it does not know, so nothing may be missing and nothing may be more.</summary>
public sealed class SchemaTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const string Columns = """
        select c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' else 'null' end,
               case when c.relname = 'mt_events' and a.attname = 'timestamp' then 'a frozen moment' else pg_get_expr(d.adbin, d.adrelid) end
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by c.relname, a.attnum
        """;

    private const string Constraints = """
        select r.relname, c.conname, pg_get_constraintdef(c.oid) from pg_constraint c join pg_class r on r.oid = c.conrelid
        where r.relnamespace = 'public'::regnamespace order by 1, 2
        """;

    private const string Indexes = """
        select indexname, regexp_replace(indexdef, '^.* ON public\.', case when indexdef like '%UNIQUE%' then 'unique on ' else 'on ' end)
        from pg_indexes where schemaname = 'public' order by 1
        """;

    [Theory]
    [InlineData("Host=h", 65_536)]
    [InlineData("Host=h;Read Buffer Size=131072", 131_072)]
    public void Connections_read_in_large_pieces_unless_they_are_told_otherwise(string address, int bytes) =>
        Assert.Equal(bytes, new NpgsqlConnectionStringBuilder(PostgresSchema.ConnectionString(address, new PostgresEventStoreOptions())).ReadBufferSize);

    [Fact]
    public async Task Columns_are_as_described() => Assert.Equal(SchemaDescription.Columns.Split('\n'), await postgres.LinesAsync(Columns));

    [Fact]
    public async Task Constraints_are_as_described() => Assert.Equal(SchemaDescription.Constraints.Split('\n'), await postgres.LinesAsync(Constraints));

    [Fact]
    public async Task Indexes_are_as_described() => Assert.Equal(SchemaDescription.Indexes.Split('\n'), await postgres.LinesAsync(Indexes));

    [Fact]
    public async Task The_sequence_belongs_to_the_events() => Assert.Equal(
        ["mt_events_sequence | mt_events | seq_id | a"],
        await postgres.LinesAsync("""
            select s.relname, t.relname, a.attname, d.deptype from pg_class s join pg_depend d on d.objid = s.oid and d.deptype = 'a'
            join pg_class t on t.oid = d.refobjid join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid where s.relkind = 'S'
            """));

    [Fact]
    public async Task Creating_it_again_changes_nothing()
    {
        var before = await postgres.LinesAsync(Columns);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => postgres.Store.EnsureSchemaAsync().AsTask()));
        Assert.Equal(before, await postgres.LinesAsync(Columns));
    }

    [Fact]
    public async Task The_database_holds_no_functions_and_no_triggers() => Assert.Empty(await postgres.LinesAsync("""
        select proname from pg_proc where pronamespace = 'public'::regnamespace
        union all select tgname from pg_trigger where not tgisinternal
        """));
}
