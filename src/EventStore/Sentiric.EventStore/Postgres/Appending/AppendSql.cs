namespace Sentiric.EventStore;

/// <summary>
/// The text of the appends, in one place. Every form is one statement: the rows of the streams are written first. They are the concurrency check,
/// they give the transaction its id, and without its row no stream draws a number. <see cref="HighWaterMark"/> builds on exactly that order;
/// the lock on <c>mt_events</c> is taken when the statement starts, before anything is written.
/// <code>
///   scalar  one event of one stream           no arrays to take apart
///   stream  several events of one stream      unnest of the events
///   singles one event each of many streams    unnest of the streams, its event by its place in the arrays
///   array   many events of many streams       unnest of the streams, unnest of the events
/// </code>
/// A stream's time never runs backwards, whatever the clocks of the writers say: an event is recorded no earlier than the one before it.
/// </summary>
internal static class AppendSql
{
    private const string StreamColumns = "tenant_id, id, type, version, timestamp, created, is_archived";

    /// <summary>
    /// $1 tenant, $2 stream, $3 aggregate type, $4 now, $5 expected version,
    /// $6 id, $7 type, $8 .NET type, $9 data, $10 correlation, $11 causation, $12 headers, $13 actor.
    /// Answers (number, version, recorded at), nothing when the row refused.
    /// </summary>
    public static string Scalar(EventTables tables, RowRule rule, bool remember)
    {
        var insert = $"""
            insert into mt_events ({tables.InsertColumns})
            select nextval('mt_events_sequence'), $6, $2, s.version, $9, $7, s.at, $1, $8{tables.Metadata("$10", "$11", "$12", "$13")}, false from s
            returning seq_id, version, timestamp
            """;
        var unseen = remember ? "not exists (select from sx_append_key k where k.tenant_id = $1 and k.event_id = $6)" : "true";
        var row = $"with s as ({OneRow(tables, rule, "1", unseen)}){Identity(tables, rule)}";
        return remember
            ? $"""
               {row}, e as ({insert}),
               k as (insert into sx_append_key (tenant_id, event_id, stream_id, seq_id, version) select $1, $6, $2::text, e.seq_id, e.version from e)
               select seq_id, version, timestamp from e
               """
            : $"{row} {insert}";
    }

    /// <summary>
    /// $1 tenant, $2 stream, $3 aggregate type, $4 now, $5 expected version, $6 how many events;
    /// arrays: $7 id, $8 type, $9 .NET type, $10 data, $11 correlation, $12 causation, $13 headers, $14 actor; the last four may be empty.
    /// Answers (number, version, recorded at) per event, in their order; nothing when the row refused.
    /// </summary>
    public static string Stream(EventTables tables, RowRule rule, bool remember)
    {
        // In a select list the arrays are taken apart side by side, in their order, without a temporary store for each of them as in a from list.
        // Nothing sorts them again: a sort would copy every row (5 % of the server's time at ten events), and no plan of this statement can turn them round.
        var insert = $"""
            insert into mt_events ({tables.InsertColumns})
            select nextval('mt_events_sequence'), x.id, $2, x.base + x.ord, x.data, x.type, x.at, $1, x.dotnet{Metadata(tables)}, false
            from (select s.version - $6 as base, s.at, generate_series(1, $6) as ord, unnest($7) as id, unnest($8) as type, unnest($9) as dotnet,
                         unnest($10) as data, unnest($11) as correlation, unnest($12) as causation, unnest($13) as headers, unnest($14) as actor
                  from s) x
            returning seq_id, version, timestamp
            """;
        var unseen = remember ? "not exists (select from sx_append_key k where k.tenant_id = $1 and k.event_id = any($7))" : "true";
        var row = $"with s as ({OneRow(tables, rule, "$6", unseen)}){Identity(tables, rule)}";
        return remember
            ? $"""
               {row}, e as ({insert}, id),
               k as (insert into sx_append_key (tenant_id, event_id, stream_id, seq_id, version) select $1, e.id, $2::text, e.seq_id, e.version from e)
               select seq_id, version, timestamp from e order by version
               """
            : $"{row} {insert}";
    }

    /// <summary>
    /// $1 tenant, $2 stream, $3 aggregate type (may be empty), $4 expected version (<see cref="ExpectedVersion.Value"/>), $5 now, $6 how many;
    /// $7 id, $8 type, $9 .NET type, $10 data, $11 correlation, $12 causation, $13 headers, $14 actor; the last four may be empty.
    /// Answers (number, stream, version, recorded at) per event that was stored, in their order; nothing for a stream whose row refused.
    /// A plan of a third of the nodes of <see cref="Array"/>: measured, the server works 65 us an event instead of 90 at eight of them, 60 instead of 72 at 128.
    /// </summary>
    /// <param name="tables">Without partitions, and ids of streams are not remembered.</param>
    /// <param name="rules">Which rules occur among the streams: the others are left out of the statement.</param>
    public static string Singles(EventTables tables, RowRules rules) =>
        $"""
        with {string.Join(",\n", SingleRows(tables, rules))}
        insert into mt_events ({tables.InsertColumns})
        select nextval('mt_events_sequence'), ($7)[s.no], ($2)[s.no], s.version, ($10)[s.no], ($8)[s.no], s.at, ($1)[s.no],
               ($9)[s.no]{tables.Metadata("($11)[s.no]", "($12)[s.no]", "($13)[s.no]", "($14)[s.no]")}, false
        from ({string.Join(" union all ", RowNames(rules).Select(name => $"select no, version, at from {name}"))} order by no) s
        returning seq_id, {tables.AsText("stream_id")}, version, timestamp
        """;

    /// <summary>
    /// Streams: $1 tenant, $2 stream, $3 aggregate type (may be empty), $4 expected version (<see cref="ExpectedVersion.Value"/>), $5 how many events,
    /// $6 how many events of other streams stand before them, $7 now.
    /// Events, stream by stream: $8 which stream (from 1), $9 id, $10 type, $11 .NET type, $12 data, $13 correlation, $14 causation, $15 headers, $16 actor;
    /// the last four may be empty.
    /// Answers one row: the numbers of all events that were stored, in their order; per stream the version before less $6, null where its row refused;
    /// per stream when it was recorded.
    /// </summary>
    /// <param name="rules">Which rules occur among the streams: the others are left out of the statement.</param>
    /// <param name="remember">All events are remembered in <c>sx_append_key</c>; a stream with an event that is there already is refused.</param>
    /// <param name="together">No event is stored unless every stream agreed; the caller rolls the rows back.</param>
    /// <param name="namesakes">Two tenants' streams of one name occur in it.</param>
    public static string Array(EventTables tables, RowRules rules, bool remember, bool together, bool namesakes) =>
        $"""
        with {(remember ? Seen : "")}a as materialized (
            select a.* from unnest($1, $2, $3, $4, $5, $6) with ordinality as a(tenant, id, type, expected, n, before, no)
            {(remember ? "where a.no <> all (coalesce((select nos from seen), '{}'))" : "")}),
        {string.Join(",\n", ArrayRows(tables, rules, namesakes))},
        b as materialized (
            select array_agg(g.base order by g.no) as bases, array_agg(g.at order by g.no) as ats, count(g.base) = cardinality($2) as whole
            from (select r.no, max(r.base) as base, max(r.at) as at
                  from ({string.Join(" union all ", RowNames(rules).Select(name => $"select no, base, at from {name}"))}
                        union all select no, null, null from generate_series(1, cardinality($2)) as no) r
                  group by r.no) g),
        {Identities(tables)}e as (
            insert into mt_events ({tables.InsertColumns})
            select nextval('mt_events_sequence'), x.id, x.stream, x.version, x.data, x.type, x.at, x.tenant, x.dotnet{Metadata(tables)}, false
            from (select u.*, ($2)[u.no] as stream, ($1)[u.no] as tenant, b.bases[u.no] + u.ord as version, b.ats[u.no] as at
                  from b, unnest($8, $9, $10, $11, $12, $13, $14, $15, $16)
                          with ordinality as u(no, id, type, dotnet, data, correlation, causation, headers, actor, ord)
                  where b.bases[u.no] is not null {(together ? "and b.whole" : "")}
                  order by u.ord) x
            returning seq_id, tenant_id, stream_id, version, id){(remember ? Remember : "")}
        select array_agg(e.seq_id order by e.seq_id), (select bases from b), (select ats from b) from e
        """;

    private const string Seen = """
        seen as materialized (
            select array_agg(u.no::bigint) as nos from unnest($8, $9) as u(no, id)
            join sx_append_key k on k.tenant_id = ($1)[u.no] and k.event_id = u.id),

        """;

    private const string Remember =
        ",\nk as (insert into sx_append_key (tenant_id, event_id, stream_id, seq_id, version) select e.tenant_id, e.id, e.stream_id::text, e.seq_id, e.version from e)";

    /// <param name="n">How many events follow.</param>
    private static string OneRow(EventTables tables, RowRule rule, string n, string unseen) => rule switch
    {
        RowRule.Start => $"""
            insert into mt_streams as m ({StreamColumns})
            select $1, $2, $3, {n}, $4, $4, false where {unseen}{tables.MayStart("$1", "$2")} on conflict do nothing returning {n}::bigint as version, m.timestamp as at
            """,
        RowRule.StartOrGoOn => $"""
            insert into mt_streams as m ({StreamColumns})
            select $1, $2, $3, {n}, $4, $4, false where {unseen}{tables.MayStart("$1", "$2")}
            on conflict ({tables.StreamKey}) do update set version = m.version + {n}, timestamp = greatest(m.timestamp, $4) where not m.is_archived
            returning m.version, m.timestamp as at
            """,
        RowRule.GoOn => $"""
            update mt_streams m set version = m.version + {n}, timestamp = greatest(m.timestamp, $4)
            where m.tenant_id = $1 and m.id = $2 and not m.is_archived and (m.version = $5 or ($5 < 0 and m.version > 0)) and {unseen}
            returning m.version, m.timestamp as at
            """,
    };

    private static string Metadata(EventTables tables) => tables.Metadata("x.correlation", "x.causation", "x.headers", "x.actor");

    /// <summary>The id of a stream that starts is remembered where ids are given once.</summary>
    private static string Identity(EventTables tables, RowRule rule) =>
        tables.IsStrict && rule != RowRule.GoOn ? $", i as ({tables.RememberIdentity("$1", "$2", "s")})" : "";

    private static string Identities(EventTables tables) => tables.IsStrict
        ? $"i as ({tables.RememberIdentity("a.tenant", "a.id", "a, b where a.expected in (0, -2) and b.bases[a.no] is not null order by a.tenant, a.id")}),\n"
        : "";

    private static IEnumerable<string> ArrayRows(EventTables tables, RowRules rules, bool namesakes)
    {
        // An insert returns only what it stores: the stream's place is found again by its name.
        var found = namesakes ? "(select a.no::int from a where a.tenant = m.tenant_id and a.id = m.id)" : "array_position($2, m.id)";
        if (rules.HasFlag(RowRules.Start))
        {
            yield return $"""
                ra as (
                    insert into mt_streams as m ({StreamColumns})
                    select a.tenant, a.id, a.type, a.n, $7, $7, false from a where a.expected = 0{tables.MayStart("a.tenant", "a.id")} order by a.no
                    on conflict do nothing
                    returning {found}::bigint as no, 0 - ($6)[{found}] as base, m.timestamp as at)
                """;
        }
        if (rules.HasFlag(RowRules.StartOrGoOn))
        {
            yield return $"""
                rb as (
                    insert into mt_streams as m ({StreamColumns})
                    select a.tenant, a.id, a.type, a.n, $7, $7, false from a where a.expected = -2{tables.MayStart("a.tenant", "a.id")} order by a.no
                    on conflict ({tables.StreamKey}) do update set version = m.version + excluded.version, timestamp = greatest(m.timestamp, $7) where not m.is_archived
                    returning {found}::bigint as no, m.version - ($5)[{found}] - ($6)[{found}] as base, m.timestamp as at)
                """;
        }
        if (rules.HasFlag(RowRules.GoOn))
        {
            yield return """
                rc as (
                    update mt_streams m set version = m.version + a.n, timestamp = greatest(m.timestamp, $7) from a
                    where m.tenant_id = a.tenant and m.id = a.id and not m.is_archived
                      and a.expected not in (0, -2) and (m.version = a.expected or (a.expected = -1 and m.version > 0))
                    returning a.no, m.version - a.n - a.before as base, m.timestamp as at)
                """;
        }
    }

    private static IEnumerable<string> SingleRows(EventTables tables, RowRules rules)
    {
        const string starting = "(select unnest($1) as tenant, unnest($2) as id, unnest($3) as type, unnest($4) as expected) a";
        // An insert returns only what it stores: the stream's place is found again by its name.
        const string placed = "returning array_position($2, m.id) as no, m.version, m.timestamp as at";
        if (rules.HasFlag(RowRules.Start))
        {
            yield return $"""
                ra as (
                    insert into mt_streams as m ({StreamColumns})
                    select a.tenant, a.id, a.type, 1, $5, $5, false from {starting} where a.expected = 0
                    on conflict do nothing {placed})
                """;
        }
        if (rules.HasFlag(RowRules.StartOrGoOn))
        {
            yield return $"""
                rb as (
                    insert into mt_streams as m ({StreamColumns})
                    select a.tenant, a.id, a.type, 1, $5, $5, false from {starting} where a.expected = -2
                    on conflict ({tables.StreamKey}) do update set version = m.version + 1, timestamp = greatest(m.timestamp, $5) where not m.is_archived {placed})
                """;
        }
        if (rules.HasFlag(RowRules.GoOn))
        {
            yield return """
                rc as (
                    update mt_streams m set version = m.version + 1, timestamp = greatest(m.timestamp, $5)
                    from (select unnest($1) as tenant, unnest($2) as id, unnest($4) as expected, generate_series(1, $6) as no) a
                    where m.tenant_id = a.tenant and m.id = a.id and not m.is_archived
                      and a.expected not in (0, -2) and (m.version = a.expected or (a.expected = -1 and m.version > 0))
                    returning a.no, m.version, m.timestamp as at)
                """;
        }
    }

    private static IEnumerable<string> RowNames(RowRules rules)
    {
        if (rules.HasFlag(RowRules.Start)) yield return "ra";
        if (rules.HasFlag(RowRules.StartOrGoOn)) yield return "rb";
        if (rules.HasFlag(RowRules.GoOn)) yield return "rc";
    }
}

/// <summary>How the row of a stream is written.</summary>
internal enum RowRule
{
    /// <summary>The stream must be new.</summary>
    Start,

    /// <summary>No belief: it starts or goes on.</summary>
    StartOrGoOn,

    /// <summary>It must be there, at the expected version if one is given.</summary>
    GoOn,
}

[Flags]
internal enum RowRules
{
    None = 0,
    Start = 1,
    StartOrGoOn = 2,
    GoOn = 4,
}

internal static class RowRuleOf
{
    public static RowRule Row(this ExpectedVersion expected)
    {
        if (expected == ExpectedVersion.Any) return RowRule.StartOrGoOn;
        return expected == ExpectedVersion.NoStream ? RowRule.Start : RowRule.GoOn;
    }

    public static RowRules AsFlag(this RowRule rule) => rule switch
    {
        RowRule.Start => RowRules.Start,
        RowRule.StartOrGoOn => RowRules.StartOrGoOn,
        RowRule.GoOn => RowRules.GoOn,
    };
}
