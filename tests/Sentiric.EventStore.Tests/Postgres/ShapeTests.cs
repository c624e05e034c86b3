using Sentiric.Testing;
using Xunit;

namespace Sentiric.EventStore.Tests.Postgres;

/// <summary>
/// Marten's tables in every shape, line by line against a checked-in description that was read against Marten's own DDL:
/// columns in order with type, null and default; constraints; indexes; who owns the sequence.
/// </summary>
public abstract class ShapeTests(PostgresFixture postgres, string name)
{
    private const string Columns = """
        select 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' else 'null' end,
               case when c.relname like 'mt_events%' and a.attname = 'timestamp' then 'a frozen moment' else pg_get_expr(d.adbin, d.adrelid) end
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace and c.relname like 'mt%' order by c.relname, a.attnum
        """;

    private const string Constraints = """
        select 'constraint', r.relname, c.conname, pg_get_constraintdef(c.oid) from pg_constraint c join pg_class r on r.oid = c.conrelid
        where r.relnamespace = current_schema()::regnamespace and r.relname like 'mt%' order by 2, 3
        """;

    private const string Indexes = """
        select 'index', tablename, indexname, regexp_replace(indexdef, '^CREATE (UNIQUE )?.* USING ', '\1')
        from pg_indexes where schemaname = current_schema() and tablename like 'mt%' order by 2, 3
        """;

    private const string Partitions = """
        select 'partition', p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(p.oid) from pg_inherits i
        join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' order by 2, 3
        """;

    private const string Sequences = """
        select 'sequence', s.relname, t.relname || '.' || a.attname, format_type(q.seqtypid, null) from pg_class s join pg_sequence q on q.seqrelid = s.oid
        join pg_depend d on d.objid = s.oid and d.deptype = 'a' join pg_class t on t.oid = d.refobjid
        join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid where s.relnamespace = current_schema()::regnamespace and t.relname like 'mt%'
        """;

    private const string Foreign = """
        select 'function', proname::text from pg_proc where pronamespace = current_schema()::regnamespace
        union all select 'trigger', tgname from pg_trigger where not tgisinternal
        union all select 'elsewhere', n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', current_schema())
        """;

    [Fact]
    public async Task Tables_are_as_described()
    {
        // A document table of a single-stream projection belongs to the shape as well.
        await postgres.ExecuteAsync(DocumentTable.Sql("mt_doc_callview", "", EventTables.Of(postgres.Options)));
        var lines = new List<string>();
        foreach (var sql in new[] { Columns, Constraints, Indexes, Partitions, Sequences }) lines.AddRange(await postgres.LinesAsync(sql));
        Golden.Check(string.Join('\n', lines), "tests", "Sentiric.EventStore.Tests", "Postgres", "Shapes", name + ".txt");
    }

    [Fact]
    public async Task Nothing_but_tables_is_made_and_nothing_outside_the_schema() => Assert.Empty(await postgres.LinesAsync(Foreign));

    [Fact]
    public async Task The_script_makes_the_same_tables()
    {
        var other = new PostgresFixture();
        await other.InitializeEmptyAsync(postgres.Options);
        try
        {
            await other.ExecuteAsync(PostgresSchema.Script(postgres.Options));
            await other.ExecuteAsync(PostgresSchema.Script(postgres.Options));
            foreach (var sql in new[] { Columns, Constraints, Indexes, Partitions, Sequences })
                Assert.Equal((await postgres.LinesAsync(sql)).Where(l => !l.Contains("callview", StringComparison.Ordinal)), await other.LinesAsync(sql));
            await other.Store.EnsureSchemaAsync();
        }
        finally
        {
            await other.DisposeAsync();
        }
    }
}

public sealed class Marten9ShapeTests(PostgresFixture postgres) : ShapeTests(postgres, "marten9-string"), IClassFixture<PostgresFixture>;

public sealed class Marten9GuidShapeTests(GuidFixture postgres) : ShapeTests(postgres, "marten9-guid"), IClassFixture<GuidFixture>;

public sealed class Marten8ShapeTests(Marten8Fixture postgres) : ShapeTests(postgres, "marten8-string"), IClassFixture<Marten8Fixture>;

public sealed class Marten8GuidShapeTests(Marten8GuidFixture postgres) : ShapeTests(postgres, "marten8-guid"), IClassFixture<Marten8GuidFixture>;

public sealed class Marten9SingleShapeTests(SingleFixture postgres) : ShapeTests(postgres, "marten9-single"), IClassFixture<SingleFixture>;

public sealed class Marten9PartitionedShapeTests(PartitionedFixture postgres) : ShapeTests(postgres, "marten9-partitioned"), IClassFixture<PartitionedFixture>;

public sealed class Marten8SinglePartitionedShapeTests(Marten8SinglePartitionedFixture postgres)
    : ShapeTests(postgres, "marten8-single-guid-partitioned"), IClassFixture<Marten8SinglePartitionedFixture>;
