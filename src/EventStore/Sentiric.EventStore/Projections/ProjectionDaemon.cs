using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Keeps all read models up to date: each projection has exactly one owner over all processes, its own checkpoint and its own pace.
/// Run it for ever with <see cref="RunAsync"/>, or by hand with <see cref="CatchUpAsync"/>.
/// </summary>
public sealed partial class ProjectionDaemon
{
    private readonly IReadOnlyList<ProjectionShard> _shards;

    public ProjectionDaemon(
        NpgsqlDataSource source, IEventStore store, IEnumerable<ITableProjection> projections, TimeProvider clock,
        ProjectionOptions? options = null, ILogger? logger = null)
    {
        _shards = [.. projections.Select(p => new ProjectionShard(source, store, p, options ?? new ProjectionOptions(), clock, logger ?? NullLogger.Instance))];
        EnsureDistinct(_shards.Select(s => s.Name), "Two projections have the name");
        EnsureDistinct(_shards.SelectMany(s => s.Tables), "Two projections own the table");
    }

    public IReadOnlyList<ProjectionStatus> Status => [.. _shards.Select(s => s.Status)];

    /// <summary>Runs until cancelled. Failures do not end it; they show in <see cref="Status"/>.</summary>
    public Task RunAsync(CancellationToken ct) => Task.WhenAll(_shards.Select(s => s.RunAsync(ct)));

    /// <summary>Brings every projection to the high-water mark of now. Throws what stands in the way, <see cref="ProjectionOwnedElsewhereException"/> among it.</summary>
    public async ValueTask CatchUpAsync(CancellationToken ct = default)
    {
        foreach (var shard in _shards) await shard.CatchUpAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Waits until the projection has applied <paramref name="position"/>; throws <see cref="TimeoutException"/> naming what it waited for.</summary>
    public ValueTask WaitForAsync(string name, long position, TimeSpan timeout, CancellationToken ct = default) =>
        ShardOf(name).WaitForAsync(position, timeout, ct);

    private ProjectionShard ShardOf(string name) =>
        _shards.FirstOrDefault(s => s.Name == name) ?? throw new ArgumentException($"There is no projection '{name}'.", nameof(name));

    private static void EnsureDistinct(IEnumerable<string> names, string complaint)
    {
        if (names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"{complaint} '{twice.Key}'.");
    }
}
