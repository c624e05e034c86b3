using System.Text.Json.Serialization;
using Sentiric.EventStore.Tests.Contract;

namespace Sentiric.EventStore.Tests.Projections;

/// <summary>Two tables, an own index, a check and a generated number: what a rebuild has to carry over.</summary>
internal sealed class CounterRows(string name = "CounterRows", int version = 1) : ITableProjection
{
    public string Name => name;

    public int Version => version;

    public IReadOnlyList<string> Tables { get; } = ["counter_row", "counter_entry"];

    public string SchemaSql(string suffix) => $"""
        create table if not exists counter_row{suffix} (
            tenant_id varchar not null, id varchar not null, total bigint not null check (total >= 0), last_position bigint not null,
            primary key (tenant_id, id));
        create index if not exists counter_row_total_idx{suffix} on counter_row{suffix} (tenant_id, total);
        create table if not exists counter_entry{suffix} (
            number bigserial primary key, tenant_id varchar not null, counter_id varchar not null, amount int not null, position bigint not null unique,
            constraint counter_entry_row_fk{suffix} foreign key (tenant_id, counter_id) references counter_row{suffix} (tenant_id, id));
        """;

    public async ValueTask ApplyAsync(IProjectionWriter writer, IReadOnlyList<RecordedEvent> batch, CancellationToken ct)
    {
        await Task.CompletedTask;
        foreach (var recorded in batch)
        {
            if (writer.Serializer.Deserialize(recorded) is not CounterRaised raised) continue;
            writer.Execute(
                $"""
                insert into {writer.Table("counter_row")} as r (tenant_id, id, total, last_position) values ($1, $2, $3, $4)
                on conflict (tenant_id, id) do update set total = r.total + excluded.total, last_position = excluded.last_position
                """,
                recorded.Tenant, recorded.StreamId, (long)raised.By * version, recorded.Position);
            writer.Execute(
                $"insert into {writer.Table("counter_entry")} (tenant_id, counter_id, amount, position) values ($1, $2, $3, $4)",
                recorded.Tenant, recorded.StreamId, raised.By, recorded.Position);
        }
    }
}

public sealed record CounterView(string Name, int Total);

[JsonSerializable(typeof(CounterView))]
public sealed partial class ViewsJson : JsonSerializerContext;

/// <summary>A raise by -1 deletes the document.</summary>
public sealed class CounterViews() : SingleStreamProjection<CounterView>("CounterView", ViewsJson.Default.CounterView)
{
    public override bool Wants(string eventType) => eventType.StartsWith("counter_", StringComparison.Ordinal);

    public override CounterView? Evolve(CounterView? document, RecordedEvent recorded, object @event) => @event switch
    {
        CounterOpened opened => new CounterView(opened.Name, 0),
        CounterRaised { By: -1 } => null,
        CounterRaised raised => (document ?? new CounterView("?", 0)) with { Total = (document?.Total ?? 0) + raised.By },
        _ => document,
    };
}
