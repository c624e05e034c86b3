using System.Globalization;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>How bad it is: a warning leaves the store at work, a failure does not.</summary>
public enum FindingLevel
{
    Warning,
    Failure,
}

/// <summary>Something that is not well. <see cref="Code"/> is stable; <see cref="Sentence"/> says what it is and what to do.</summary>
public sealed record HealthFinding(FindingLevel Level, string Code, string Sentence);

/// <summary>From when on something is worth a word.</summary>
public sealed record HealthThresholds
{
    /// <summary>An event that was stored this long ago and is still behind a hole that may yet be filled.</summary>
    public TimeSpan HoleOlderThan { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A shard whose next event has been waiting this long.</summary>
    public TimeSpan ShardBehind { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan TransactionOpen { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Share of the append queue that waits.</summary>
    public double QueueFilled { get; init; } = 0.8;

    public double DiskFreeWarning { get; init; } = 0.10;
    public double DiskFreeFailure { get; init; } = 0.03;

    /// <summary>The shards that are this program's; others may be left over from an older one. Null: all of them.</summary>
    public IReadOnlyList<string>? Shards { get; init; }
}

/// <summary>Asks a store on PostgreSQL how it is. Costs a handful of index look-ups.</summary>
public sealed class StoreHealth(NpgsqlDataSource source, PostgresEventStore store, TimeProvider clock, HealthThresholds thresholds)
{
    private static readonly string[] Needed = ["mt_streams", "mt_events", "mt_event_progression", "mt_doc_deadletterevent", "sx_append_key"];

    /// <summary>Empty when all is well. Does not throw for a PostgreSQL that is away: that is a finding.</summary>
    public async ValueTask<IReadOnlyList<HealthFinding>> CheckAsync(CancellationToken ct = default)
    {
        try
        {
            return await Failures.GuardAsync(() => LookAsync(ct)).ConfigureAwait(false);
        }
        catch (Exception away) when (away is EventStoreUnavailableException or NpgsqlException)
        {
            return [Failure("store.unreachable", $"PostgreSQL does not answer: {away.Message} Start it, or correct the connection string; writers wait and nothing that was confirmed is lost.")];
        }
    }

    private async ValueTask<IReadOnlyList<HealthFinding>> LookAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        if (await MissingAsync(connection, ct).ConfigureAwait(false) is { Count: > 0 } missing)
            return [Failure("store.schema_missing", $"Tables are missing: {string.Join(", ", missing)}. Start one process that may create tables, or let a DBA run the schema script.")];
        var found = new List<HealthFinding>();
        found.AddRange(await WriterAsync(connection, ct).ConfigureAwait(false));
        found.AddRange(Queue());
        var mark = await store.GetHighWaterMarkAsync(ct).ConfigureAwait(false);
        found.AddRange(await HoleAsync(connection, mark, ct).ConfigureAwait(false));
        found.AddRange(await ShardsAsync(ct).ConfigureAwait(false));
        found.AddRange(await ParkedAsync(connection, ct).ConfigureAwait(false));
        found.AddRange(await DiskAsync(connection, ct).ConfigureAwait(false));
        return found;
    }

    private static async ValueTask<List<string>> MissingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select n from unnest($1) n where to_regclass(n) is null", connection) { Parameters = { new() { Value = Needed } } };
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var missing = new List<string>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) missing.Add(rows.GetString(0));
        return missing;
    }

    private static async ValueTask<IEnumerable<HealthFinding>> WriterAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean or not has_table_privilege('mt_events', 'insert')", connection);
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is true
            ? [Failure("store.read_only", "This PostgreSQL takes no writes: it is a standby, set read-only, or the role may not insert into mt_events. Point the connection string at the primary.")]
            : [];
    }

    private IEnumerable<HealthFinding> Queue()
    {
        var (waiting, capacity) = store.WaitingAppends;
        if (waiting < capacity * thresholds.QueueFilled) yield break;
        yield return new HealthFinding(
            waiting >= capacity ? FindingLevel.Failure : FindingLevel.Warning, "store.append_queue_full",
            Say($"{waiting} of {capacity} places in the append queue are taken: PostgreSQL commits slower than events come. Look at its disk and at locks (pg_stat_activity)."));
    }

    private async ValueTask<IEnumerable<HealthFinding>> HoleAsync(NpgsqlConnection connection, long mark, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select seq_id, timestamp from mt_events where seq_id > $1 order by seq_id limit 1", connection) { Parameters = { new() { Value = mark } } };
        var (number, age) = (0L, TimeSpan.Zero);
        await using (var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await rows.ReadAsync(ct).ConfigureAwait(false)) return [];
            (number, age) = (rows.GetInt64(0), clock.GetUtcNow() - new DateTimeOffset(rows.GetDateTime(1), TimeSpan.Zero));
        }

        if (age < thresholds.HoleOlderThan) return [];
        var oldest = await StatisticsReader.OldestTransactionAsync(connection, ct).ConfigureAwait(false);
        var who = oldest is { } open ? Say($" The oldest open transaction is process {open.ProcessId} ({open.Application}, {open.State}) since {open.Since:u}; end it if nobody needs it: select pg_terminate_backend({open.ProcessId}).") : "";
        return [Warning("store.hole", Say($"Readers stand at {mark} while event {number} has been stored for {Seconds(age)} s: a number between them is missing and its transaction may still be open.{who}"))];
    }

    private async ValueTask<IEnumerable<HealthFinding>> ShardsAsync(CancellationToken ct)
    {
        var shards = await new ProjectionManager(source, store, clock).ListAsync(ct).ConfigureAwait(false);
        return shards.Where(s => thresholds.Shards?.Contains(s.Shard) ?? true).Select(Finding).OfType<HealthFinding>().ToList();
    }

    private HealthFinding? Finding(ProjectionStatus s)
    {
        if (s.Pause is { } pause)
            return Warning("store.shard_paused", Say($"{s.Name} is paused since {pause.At:u}{(pause.By is { } by ? $" by {by}" : "")}{(pause.Reason is { } why ? $": {why}" : "")}. It is {s.Lag} positions behind; 'projections resume {s.Name}' lets it go on."));
        if (s.Behind <= thresholds.ShardBehind) return null;
        var owner = s.Owner is { } host ? $" It runs on {host}." : " No process runs it: start one that has it.";
        var error = s.LastError is { } last ? $" Its last error: {last}" : "";
        return Warning("store.shard_behind", Say($"{s.Name} is {s.Lag} positions behind: its next event has waited {Seconds(s.Behind)} s.") + owner + error);
    }

    private static async ValueTask<IEnumerable<HealthFinding>> ParkedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select count(*), string_agg(distinct (data ->> 'ProjectionName') || ':' || (data ->> 'ShardName'), ', ') from mt_doc_deadletterevent", connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await rows.ReadAsync(ct).ConfigureAwait(false);
        return rows.GetInt64(0) is var count and > 0
            ? [Warning("store.parked", Say($"{count} event{(count == 1 ? " is" : "s are")} parked ({rows.GetString(1)}): what could not be handled; the shard went on. 'projections parked' shows why; retry after an upgrade."))]
            : [];
    }

    /// <summary>Only where the data directory may be asked for and lies on this machine.</summary>
    private async ValueTask<IEnumerable<HealthFinding>> DiskAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (!IsLocal(connection.Host)) return [];
        await using var command = new NpgsqlCommand("select setting from pg_settings where name = 'data_directory'", connection);
        if (await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is not string folder || !Directory.Exists(folder)) return [];
        var disk = new DriveInfo(folder);
        var free = disk.TotalSize == 0 ? 1 : (double)disk.AvailableFreeSpace / disk.TotalSize;
        if (free > thresholds.DiskFreeWarning) return [];
        return
        [
            new HealthFinding(
                free > thresholds.DiskFreeFailure ? FindingLevel.Warning : FindingLevel.Failure, "store.disk_full",
                Say($"The disk of PostgreSQL has {disk.AvailableFreeSpace >> 20} MiB left ({free:P0}): make room before it stops taking events; the runbook's \"Disk full\" says where.")),
        ];
    }

    private static bool IsLocal(string? host) => host is null or "localhost" or "127.0.0.1" or "::1" || host.StartsWith('/');

    private static long Seconds(TimeSpan age) => (long)age.TotalSeconds;

    private static string Say(FormattableString sentence) => sentence.ToString(CultureInfo.InvariantCulture);

    private static HealthFinding Warning(string code, string sentence) => new(FindingLevel.Warning, code, sentence);

    private static HealthFinding Failure(string code, string sentence) => new(FindingLevel.Failure, code, sentence);
}
