using System.Globalization;
using Sentiric.Testing;

namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>Where histories are carried out: a store, its clock, and a wire that can be cut.</summary>
internal interface IStage : IAsyncDisposable
{
    ManualTime Clock { get; }

    /// <summary>The store under test.</summary>
    IEventStore Store { get; }

    /// <summary>The same storage over a wire that is never cut.</summary>
    IEventStore Look { get; }

    /// <summary>Ready for the next history.</summary>
    Task BeginAsync();

    void Arm(Cut cut);

    /// <summary>Mends the wire and returns when nobody works on the server for a connection that is gone.</summary>
    Task QuietAsync();
}

/// <summary>Carries a history out on a store and on the model and compares each answer, and everything there is at the end.</summary>
internal static class Sequence
{
    /// <summary>Null when store and model agree; otherwise what differs and where.</summary>
    public static async Task<string?> CheckAsync(IStage stage, IReadOnlyList<Operation> history)
    {
        await stage.BeginAsync();
        var nonce = "h" + Guid.NewGuid().ToString("N");
        var run = new StoreRun(stage.Store, stage.Clock, stage.Clock.GetUtcNow(), nonce, await stage.Look.GetHighWaterMarkAsync());
        var model = new StoreModel();
        for (var step = 0; step < history.Count; step++)
        {
            if (await StepAsync(stage, run, model, history[step]) is { } difference)
                return string.Create(CultureInfo.InvariantCulture, $"step {step + 1}, {history[step]}:\n{difference}");
        }
        await stage.QuietAsync();
        return Differ(model.Whole(), await run.WholeAsync(stage.Look, Streams)) is { } left ? "after the last step:\n" + left : null;
    }

    private static IEnumerable<StreamName> Streams => from tenant in Enumerable.Range(0, OperationDice.Tenants) from stream in Enumerable.Range(0, OperationDice.Streams) select new StreamName(tenant, stream);

    private static async Task<string?> StepAsync(IStage stage, StoreRun run, StoreModel model, Operation operation)
    {
        if (operation is Cut cut)
        {
            stage.Arm(cut);
            return null;
        }
        var heard = await run.PerformAsync(operation);
        if (heard.IsLost) return await ResolveAsync(stage, run, model, operation, heard);
        if (run.Settle(heard.Stored.Select(s => s.Position)) is { } disorder) return disorder;
        var expected = model.Answer(operation, OrderOf(heard.Stored));
        return Differ(expected, string.Join(" | ", heard.Parts.Select(p => run.Complete(p ?? ""))));
    }

    /// <summary>An answer was lost: the append is there whole or not at all, and everything else is as it was.</summary>
    private static async Task<string?> ResolveAsync(IStage stage, StoreRun run, StoreModel model, Operation operation, Heard heard)
    {
        await stage.QuietAsync();
        // Whether it was done shows in the state of its stream.
        if (StreamOf(operation) is { } stream && await run.StateAsync(stage.Look, stream) != model.AnswerState(stream)) model.Answer(operation);
        var parts = PartsOf(operation);
        var stored = heard.Stored.Concat(await run.FindLostAsync(stage.Look, parts, heard, model.VersionOf)).ToList();
        if (run.Settle(stored.Select(s => s.Position)) is { } disorder) return disorder;
        if (stored.Count > 0 || operation is AtOnce)
        {
            var expected = model.Answer(operation, OrderOf(stored)).Split(" | ");
            for (var part = 0; operation is AtOnce && part < expected.Length; part++)
            {
                if (heard.Parts[part] is { } said && Differ(expected[part], run.Complete(said)) is { } difference) return difference;
            }
        }
        return Differ(model.Whole(), await run.WholeAsync(stage.Look, Streams)) is { } left
            ? "its answer was lost; what is stored fits neither 'done' nor 'not done':\n" + left
            : operation is Append { IsIdempotent: true } ? await StepAsync(stage, run, model, operation) : null;
    }

    private static StreamName? StreamOf(Operation operation) => operation switch
    {
        Archive archive => archive.Stream,
        Unarchive unarchive => unarchive.Stream,
        Truncate truncate => truncate.Stream,
        _ => null,
    };

    private static IReadOnlyList<Append> PartsOf(Operation operation) => operation switch
    {
        Append append => [append],
        FetchAndAppend fetch => [new Append(fetch.Stream, 0, fetch.Batch, fetch.Count, false)],
        Together together => together.Parts,
        AtOnce atOnce => atOnce.Parts,
        _ => [],
    };

    private static List<(int Part, int Event)> OrderOf(IEnumerable<(long Position, int Part, int Event)> stored) =>
        [.. stored.OrderBy(s => s.Position).Select(s => (s.Part, s.Event))];

    private static string? Differ(string expected, string actual) => expected == actual ? null : $"expected\n  {Indent(expected)}\nbut it was\n  {Indent(actual)}";

    private static string Indent(string text) => text.Replace("\n", "\n  ", StringComparison.Ordinal);
}

/// <summary>Takes steps away from a history as long as it still fails, so that a person can read what is left.</summary>
internal static class Shrinking
{
    private const int MaxTries = 300;

    public static async Task<(List<Operation> History, string Difference)> ShrinkAsync(
        List<Operation> history, string difference, Func<IReadOnlyList<Operation>, Task<string?>> check)
    {
        var tries = 0;
        for (var size = history.Count / 2; size >= 1; size /= 2)
        {
            for (var at = 0; at + size <= history.Count && tries < MaxTries;)
            {
                List<Operation> fewer = [.. history[..at], .. history[(at + size)..]];
                tries++;
                if (await check(fewer) is { } still) (history, difference) = (fewer, still);
                else at += size;
            }
        }
        return (history, difference);
    }
}
