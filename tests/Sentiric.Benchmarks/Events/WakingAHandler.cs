using System.Diagnostics;
using Sentiric.Benchmarks.Kit;
using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>From the start of an append to the moment at which a subscription over a second store has the event, while nothing else happens.</summary>
public static class WakingAHandler
{
    private const int Events = 120;
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(Bench bench)
    {
        await using var database = await Database.CreateAsync();
        if (database is null)
        {
            bench.Skip("events.wake", Database.Missing);
            return;
        }
        // Two stores: the handler does not share the writer's memory, only its database.
        var (writer, reader) = (database.NewStore(), database.NewStore());
        var handled = new TaskCompletionSource<long>();
        var runner = new SubscriptionRunner(
            reader, new PostgresCheckpointStore(database.Source), new SubscriptionOptions("bench"),
            (batch, _) =>
            {
                Volatile.Read(ref handled).TrySetResult(Stopwatch.GetTimestamp());
                return ValueTask.CompletedTask;
            },
            TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(bench.Stop);
        var running = runner.RunAsync(stop.Token);
        var milliseconds = new List<double>();
        for (var i = 0; i < bench.Times(Events); i++)
        {
            bench.Say($"event {i + 1}");
            Volatile.Write(ref handled, new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously));
            var from = Stopwatch.GetTimestamp();
            await writer.AppendToStreamAsync(Notes.Tenant, $"call-{i}", ExpectedVersion.NoStream, [EventData.Of(Notes.Make(i))], ct: bench.Stop);
            milliseconds.Add(Stopwatch.GetElapsedTime(from, await handled.Task.WaitAsync(Patience, bench.Stop)).TotalMilliseconds);
            await Task.Delay(Idle, bench.Stop);
        }
        await stop.CancelAsync();
        await running;
        // the first one waits for the start of the subscription
        var steady = milliseconds.Skip(1).ToList();
        bench.Add(new Row("events.append_to_handler", "append until a subscription has the event, idle store", Samples.Percentile(steady, 0.99), "ms p99")
        {
            Target = Target.AtMost(50),
            Detail = $"p50 {Figure.Of(Samples.Percentile(steady, 0.5))} ms",
        });
    }
}
