using System.Globalization;
using System.Text;

namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>
/// Runs many random histories, shared among several stages, and fails with the shortest that store and model tell differently.
/// <c>SENTIRIC_SEQUENCES</c> sets how many, <c>SENTIRIC_SEED</c> where to begin.
/// </summary>
internal static class Histories
{
    public const string CountVariable = "SENTIRIC_SEQUENCES", SeedVariable = "SENTIRIC_SEED";
    private const int Length = 30, DefaultSeed = 20_261_122;

    /// <summary>How many to run: what the environment asks for, else <paramref name="usual"/>.</summary>
    public static int CountOr(int usual) => Number(CountVariable) ?? usual;

    public static async Task RunAsync(string repeat, int count, int lanes, bool withCuts, Func<Task<IStage>> open)
    {
        var seed = Number(SeedVariable) ?? DefaultSeed;
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, lanes).Select(_ => Task.Run(async () =>
        {
            await using var stage = await open();
            for (int n; (n = Interlocked.Increment(ref next)) < count;) await RunOneAsync(stage, repeat, seed + n, withCuts);
        })));
    }

    private static async Task RunOneAsync(IStage stage, string repeat, int seed, bool withCuts)
    {
        var history = OperationDice.Roll(seed, Length, withCuts);
        if (await Sequence.CheckAsync(stage, history) is not { } difference) return;
        var (shortest, left) = await Shrinking.ShrinkAsync(history, difference, fewer => Sequence.CheckAsync(stage, fewer));
        var message = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"Store and model differ. Seed {seed}; repeat with {SeedVariable}={seed} {CountVariable}=1 ./sentiric test {repeat}");
        foreach (var (step, number) in shortest.Select((s, i) => (s, i + 1))) message.AppendLine(CultureInfo.InvariantCulture, $"  {number}. {step}");
        Assert.Fail(message.Append(left).ToString());
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
