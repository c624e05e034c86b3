using System.Globalization;
using Npgsql;

namespace Sentiric.EventStore.Tests.Chaos.Children;

/// <summary>
/// The test assembly as a process of its own, which a test starts and kills: a writer, or a host of projections.
/// It stops by itself when its standard input closes, so that it never outlives the tests.
/// </summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        _ = Task.Run(() =>
        {
            while (Console.In.Read() >= 0) continue;
            stop.Cancel();
        });
        switch (args)
        {
            case ["writer", var address, var log, var seed]:
                await using (var source = NpgsqlDataSource.Create(address)) await ChildWriter.RunAsync(source, log, int.Parse(seed, CultureInfo.InvariantCulture), stop.Token);
                return 0;
            case ["daemon", var address, var owner, var projections, var subscription]:
                await using (var source = NpgsqlDataSource.Create(address)) await ChildDaemon.RunAsync(source, owner, projections.Split(','), subscription, stop.Token);
                return 0;
            default:
                await Console.Error.WriteLineAsync("This is a test assembly: run it with 'dotnet test'.");
                return 2;
        }
    }
}
