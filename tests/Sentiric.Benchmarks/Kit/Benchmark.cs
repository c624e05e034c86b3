namespace Sentiric.Benchmarks.Kit;

/// <summary>One measurement that can be run alone. It adds its rows as they are ready.</summary>
public sealed record Benchmark(string Name, Func<Bench, Task> RunAsync)
{
    /// <summary>Takes minutes: runs only when sizes are asked for (<see cref="BenchOptions.Scale"/>), and then alone.</summary>
    public bool NeedsScale { get; init; }

    /// <summary>"events" and "events.append" both name the benchmark "events.append".</summary>
    public bool IsNamed(string? wish) =>
        wish is null || Name == wish || Name.StartsWith(wish + ".", StringComparison.Ordinal);
}

/// <summary>What a benchmark gets: where its rows go, how long it may measure and when it must stop.</summary>
public sealed class Bench(string name, bool isQuick, Progress progress, CancellationToken stop)
{
    private const double QuickShare = 0.2;
    private readonly List<Row> rows = [];

    public IReadOnlyList<Row> Rows => rows;

    /// <summary>How many events were asked for; null: as the benchmark likes.</summary>
    public int? Events { get; init; }

    public CancellationToken Stop => stop;

    /// <summary>Sizes in millions of events, smallest first.</summary>
    public IReadOnlyList<int> Scale { get; init; } = [];

    public bool KeepsData { get; init; }

    /// <summary>A length of time to measure for; a fifth of it in a quick run.</summary>
    public TimeSpan For(double seconds) => TimeSpan.FromSeconds(isQuick ? seconds * QuickShare : seconds);

    /// <summary>A number of repetitions; a fifth of it in a quick run.</summary>
    public int Times(int count) => isQuick ? Math.Max(1, (int)(count * QuickShare)) : count;

    public void Say(string what) => progress.Say($"{name}: {what}");

    public void Add(Row row) => rows.Add(row);

    /// <summary>A row that could not be measured here, with the reason in words.</summary>
    public void Skip(string row, string why) => rows.Add(new Row(row, why, null, "") { Skipped = why });
}
