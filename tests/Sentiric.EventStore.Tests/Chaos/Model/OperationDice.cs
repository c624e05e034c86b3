namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>Random histories over few streams and few batches, so that conflicts, repetitions and misused ids are frequent. The same seed gives the same history.</summary>
internal static class OperationDice
{
    public const int Tenants = 2, Streams = 3;
    private const int Batches = 6, MaxBatch = 4, MaxParts = 4;

    public static List<Operation> Roll(int seed, int length, bool withCuts)
    {
        var dice = new Random(seed);
        return [.. Enumerable.Range(0, dice.Next(length / 3, length + 1)).Select(_ => Next(dice, withCuts))];
    }

    private static Operation Next(Random dice, bool withCuts) => dice.Next(withCuts ? 126 : 107) switch
    {
        < 38 => NextAppend(dice, NextStream(dice), dice.Next(Batches)),
        < 46 => new FetchAndAppend(NextStream(dice), dice.Next(Batches), dice.Next(1, MaxBatch + 1)),
        < 54 => new Together(Parts(dice, atOnce: false)),
        < 62 => new AtOnce(Parts(dice, atOnce: true)),
        < 66 => new Archive(NextStream(dice)),
        < 74 => new ReadStream(NextStream(dice), dice.Next(-1, 9), dice.Next(4) == 0 ? int.MaxValue : dice.Next(0, 5)),
        < 82 => new ReadAll(dice.Next(0, 25), dice.Next(4) == 0 ? int.MaxValue : dice.Next(0, 8)),
        < 87 => new AskState(NextStream(dice)),
        < 94 => NextFold(dice),
        < 100 => new Tick(dice.Next(4) == 0 ? -dice.Next(1, 3_000) : dice.Next(0, 5_000)),
        < 103 => new Unarchive(NextStream(dice)),
        < 107 => new Truncate(NextStream(dice), dice.Next(1, 7)),
        _ => new Cut(dice.Next(2) == 0, dice.Next(1, 12), dice.Next(4) == 0),
    };

    private static StreamName NextStream(Random dice) => new(dice.Next(Tenants), dice.Next(Streams));

    private static Append NextAppend(Random dice, StreamName stream, int batch) =>
        new(stream, NextExpected(dice), batch, dice.Next(12) == 0 ? 0 : dice.Next(1, MaxBatch + 1), dice.Next(2) == 0);

    private static long NextExpected(Random dice) => dice.Next(5) switch
    {
        0 or 1 => ExpectedVersion.Any.Value,
        2 => ExpectedVersion.StreamExists.Value,
        3 => ExpectedVersion.NoStream.Value,
        _ => dice.Next(1, 9),
    };

    private static FoldUpTo NextFold(Random dice) => dice.Next(3) switch
    {
        0 => new FoldUpTo(NextStream(dice), null, null),
        1 => new FoldUpTo(NextStream(dice), dice.Next(0, 9), null),
        _ => new FoldUpTo(NextStream(dice), null, dice.Next(-1_000, 20_000)),
    };

    /// <summary>Now and then a part that the store must refuse as a whole: a stream named twice, or without events.</summary>
    private static List<Append> Parts(Random dice, bool atOnce)
    {
        var count = dice.Next(1, MaxParts + 1);
        var streams = Enumerable.Range(0, Tenants * Streams).Select(n => new StreamName(n / Streams, n % Streams)).OrderBy(_ => dice.Next()).Take(count);
        var batches = Enumerable.Range(0, Batches).OrderBy(_ => dice.Next()).ToArray();
        var parts = streams.Select((stream, i) => NextAppend(dice, stream, batches[i])).ToList();
        if (atOnce) return parts;
        parts = parts.ConvertAll(p => p with { IsIdempotent = false, Count = Math.Max(p.Count, dice.Next(15) == 0 ? 0 : 1) });
        if (dice.Next(15) == 0) parts.Add(parts[0]);
        return parts;
    }
}
