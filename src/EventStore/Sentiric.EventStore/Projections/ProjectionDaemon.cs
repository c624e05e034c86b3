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
    private readonly ShardWatch _watch;

    public ProjectionDaemon(
        NpgsqlDataSource source, IEventStore store, IEnumerable<ITableProjection> projections, TimeProvider clock,
        ProjectionOptions? options = null, ILogger? logger = null)
    {
        var (chosen, log, all) = (options ?? new ProjectionOptions(), logger ?? NullLogger.Instance, projections.ToList());
        var feed = FeedOf(store, all, chosen.Erasure?.EventType);
        _shards = [.. all.Select(p => new ProjectionShard(source, store, feed, p, chosen, clock, log))];
        _watch = new ShardWatch(source, _shards, chosen, clock, log);
        EnsureDistinct(_shards.Select(s => s.Name), "Two projections have the name");
        EnsureDistinct(_shards.SelectMany(s => s.Tables), "Two projections own the table");
        EnsureOldNames(store.Serializer, all);
    }

    public IReadOnlyList<ProjectionStatus> Status => [.. _shards.Select(s => s.Status)];

    /// <summary>Runs until cancelled. Failures do not end it; they show in <see cref="Status"/>.</summary>
    public Task RunAsync(CancellationToken ct) => Task.WhenAll([_watch.RunAsync(ct), .. _shards.Select(s => s.RunAsync(ct))]);

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

    // One that does not say what it wants gets everything, and decodes what it needs itself.
    private static LogFeed FeedOf(IEventStore store, IReadOnlyList<ITableProjection> projections, string? erasure)
    {
        var declared = projections.Where(p => p.EventTypes is not null).SelectMany(p => p.EventTypes ?? []).ToHashSet(StringComparer.Ordinal);
        if (erasure is not null) declared.Add(erasure);
        var isAllDeclared = projections.All(p => p.EventTypes is not null);
        return new LogFeed(store, isAllDeclared ? declared : null, declared.Contains);
    }

    /// <summary>A projection that names the newest version alone would never be given what was stored before: its rows would be wrong without a word.</summary>
    private static void EnsureOldNames(IEventSerializer serializer, IReadOnlyList<ITableProjection> projections)
    {
        foreach (var (projection, names) in projections.Where(p => p.EventTypes is not null).Select(p => (p, p.EventTypes ?? [])))
        {
            foreach (var name in names)
            {
                if (serializer.OldNamesOf(name).Except(names, StringComparer.Ordinal).ToList() is { Count: > 0 } missing)
                    throw new EventTypeListException(
                        $"The projection '{projection.Name}' looks at '{name}' and not at its older versions: {string.Join(", ", missing)}. Name them in its EventTypes (IEventSerializer.OldNamesOf tells them).");
            }
        }
    }

    private static void EnsureDistinct(IEnumerable<string> names, string complaint)
    {
        if (names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"{complaint} '{twice.Key}'.");
    }
}
