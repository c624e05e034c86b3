using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="ICallJournal"/> over HTTP, both ends: facts travel under their routing keys in the wire form.</summary>
public sealed class JournalPort(HttpClient client) : ICallJournal
{
    private const string Append = PortHttp.Prefix + "/journal/append";

    public ValueTask<Result<Done>> AppendAsync(string tenant, string stream, IReadOnlyList<JournalEntry> entries, CancellationToken ct) =>
        client.AskAsync<JournalPage, Done>(Append, new(tenant, stream, [.. entries.Select(ToWire)]), ct);

    public static void Map(IEndpointRouteBuilder routes, ICallJournal journal) =>
        routes.MapQuestion<JournalPage, Done>(Append, (page, ct) => AppendAsync(journal, page, ct));

    private static ValueTask<Result<Done>> AppendAsync(ICallJournal journal, JournalPage page, CancellationToken ct)
    {
        var entries = new List<JournalEntry>(page.Entries.Count);
        foreach (var line in page.Entries)
        {
            if (FromWire(line) is not { } entry)
            {
                return ValueTask.FromResult<Result<Done>>(new Refusal("journal.invalid", $"'{line.Type}' is not an event that this build knows."));
            }

            entries.Add(entry);
        }

        return journal.AppendAsync(page.Tenant, page.Stream, entries, ct);
    }

    private static JournalLine ToWire(JournalEntry entry)
    {
        var kind = EventCatalog.Of(entry.Event.GetType());
        return new(entry.EventId, kind.RoutingKey, entry.Actor, JsonSerializer.SerializeToElement(entry.Event, EventCatalog.WireJson(kind.Type)));
    }

    private static JournalEntry? FromWire(JournalLine line) =>
        EventCatalog.ForRoutingKey(line.Type) is { } kind && line.Data.Deserialize(EventCatalog.WireJson(kind.Type)) is { } fact
            ? new(line.EventId, fact, line.Actor)
            : null;

    public sealed record JournalPage(string Tenant, string Stream, IReadOnlyList<JournalLine> Entries);

    public sealed record JournalLine(Guid EventId, string Type, string Actor, JsonElement Data);
}
