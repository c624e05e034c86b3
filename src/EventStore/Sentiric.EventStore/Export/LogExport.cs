using System.Buffers;
using System.Security.Cryptography;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// Writes the log of a store on PostgreSQL as <see cref="ExportFile"/>, in bounded memory, up to the high-water mark of its start.
/// What somebody appends meanwhile is left for the next export.
/// </summary>
public sealed class LogExport(NpgsqlDataSource source, IEventStore store)
{
    private const int PageSize = 1_000;

    // By number and not by stream, so that it holds whatever an id of a stream is made of.
    private string Extras => $"""
        select e.seq_id, s.type, e.mt_dotnet_type, coalesce(s.is_archived, false) and e.version = s.version
        from mt_events e join mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id{(EventTables.Of(store).IsPartitioned ? " and s.is_archived = e.is_archived" : "")}
        where e.seq_id = any($1)
        """;

    private readonly LogClock _clock = new(source);

    /// <summary>
    /// Writes header, events and trailer to <paramref name="to"/>. With <paramref name="behind"/> an export that was cut off goes on: no header is written, and the
    /// trailer counts and hashes this part alone. Throws <see cref="BinaryEventException"/> at a payload that is no JSON, <see cref="ArgumentException"/> when that event is not in the store or not in the scope.
    /// </summary>
    public async ValueTask<ExportTotals> WriteAsync(
        Stream to, ExportScope scope, ExportPlace? behind = null, Action<ExportTotals>? progress = null, CancellationToken ct = default)
    {
        if (scope is { Stream: not null, Tenant: null }) throw new ArgumentException("A stream is named without its tenant.", nameof(scope));
        var mark = await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        var end = scope.Until is { } until ? await _clock.PositionBeforeAsync(until, mark, ct).ConfigureAwait(false) : mark;
        var totals = new ExportTotals(0, await StartAsync(scope, behind, mark, ct).ConfigureAwait(false), end);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new ArrayBufferWriter<byte>();
        if (behind is null) ExportLine.WriteHeader(buffer, scope);
        await foreach (var page in PagesAsync(scope, totals.Position, end, behind, ct).ConfigureAwait(false))
        {
            var extras = await ExtrasAsync(page, ct).ConfigureAwait(false);
            foreach (var recorded in page)
            {
                // A line holds JSON: an event whose payload is none would come back as another.
                if (recorded.Binary is not null) throw new BinaryEventException(recorded.EventType, recorded.Position);
                ExportLine.WriteEvent(buffer, recorded, extras.GetValueOrDefault(recorded.Position));
            }
            await FlushAsync(to, buffer, hash, ct).ConfigureAwait(false);
            totals = totals with { Events = totals.Events + page.Count, Position = page.Count == 0 ? totals.Position : page[^1].Position };
            progress?.Invoke(totals);
        }

        await FlushAsync(to, buffer, hash, ct).ConfigureAwait(false);
        ExportLine.WriteTrailer(buffer, totals.Events, Convert.ToHexStringLower(hash.GetHashAndReset()));
        await to.WriteAsync(buffer.WrittenMemory, ct).ConfigureAwait(false);
        return totals with { Position = end };
    }

    private async ValueTask<long> StartAsync(ExportScope scope, ExportPlace? behind, long mark, CancellationToken ct)
    {
        if (behind is not { } place) return scope.Since is { } since ? await _clock.PositionBeforeAsync(since, mark, ct).ConfigureAwait(false) : 0;
        await foreach (var recorded in store.ReadStreamAsync(place.Tenant, place.Stream, place.Version, 1, ct).ConfigureAwait(false))
        {
            if (recorded.Version == place.Version && IsIn(scope, recorded)) return recorded.Position;
        }

        throw new ArgumentException($"Version {place.Version} of stream '{place.Stream}' of tenant '{place.Tenant}' is not part of what is exported.", nameof(behind));
    }

    private static bool IsIn(ExportScope scope, RecordedEvent e) =>
        (scope.Tenant is null || scope.Tenant == e.Tenant) && (scope.Stream is null || scope.Stream == e.StreamId);

    private async IAsyncEnumerable<List<RecordedEvent>> PagesAsync(
        ExportScope scope, long after, long end, ExportPlace? behind, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var events = scope is { Stream: { } stream, Tenant: { } tenant }
            ? store.ReadStreamAsync(tenant, stream, (behind?.Version ?? 0) + 1, ct: ct)
            : store.ReadAllAsync(after, int.MaxValue, ct);
        var page = new List<RecordedEvent>(PageSize);
        await foreach (var recorded in events.ConfigureAwait(false))
        {
            if (recorded.Position > end) break;
            if (recorded.Position <= after || !IsIn(scope, recorded)) continue;
            page.Add(recorded);
            if (page.Count < PageSize) continue;
            yield return page;
            page = new List<RecordedEvent>(PageSize);
        }

        yield return page;
    }

    private ValueTask<Dictionary<long, ExportExtra>> ExtrasAsync(List<RecordedEvent> page, CancellationToken ct) => Failures.GuardAsync(async () =>
    {
        var extras = new Dictionary<long, ExportExtra>(page.Count);
        if (page.Count == 0) return extras;
        await using var command = source.CreateCommand(Extras);
        command.Parameters.Add(new() { Value = page.ConvertAll(e => e.Position).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            extras[rows.GetInt64(0)] = new ExportExtra(rows.IsDBNull(1) ? null : rows.GetString(1), rows.IsDBNull(2) ? null : rows.GetString(2), rows.GetBoolean(3));
        return extras;
    });

    private static async ValueTask FlushAsync(Stream to, ArrayBufferWriter<byte> buffer, IncrementalHash hash, CancellationToken ct)
    {
        hash.AppendData(buffer.WrittenSpan);
        await to.WriteAsync(buffer.WrittenMemory, ct).ConfigureAwait(false);
        buffer.ResetWrittenCount();
    }
}
