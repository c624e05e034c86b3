using System.Net.Http.Json;
using System.Text;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.Scenarios.Kit;
using Sentiric.Testing.Platform;
using Sentiric.Testing.Postgres;
using StackExchange.Redis;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Privacy;

/// <summary>A person who called and was forgotten, looked for in every place that the platform writes to: database, files, logs, broker, Redis.</summary>
[Collection(Lanes.Broker)]
[Trait("Category", "Slow")]
public sealed class ForgottenEverywhereTests(ITestOutputHelper output)
{
    private const string Number = "+905441239876", Name = "Zühal Kınalıada";
    private const int SearchMs = 30_000; // other scenarios run beside this one
    private static readonly string[] Queues = ["sentiric.cdr", "sentiric.agent"];

    [PlatformFact(Servers = [Servers.RabbitVariable, Servers.RedisVariable])]
    public async Task A_forgotten_caller_is_in_no_table_file_log_queue_or_cache()
    {
        var redis = Servers.Redis();
        await using var platform = await RunningPlatform.StartAsync(new PlatformOptions { Rabbit = Servers.Rabbit, Redis = redis });
        var api = platform.Api;
        using (var created = await api.Http.PostAsJsonAsync("v1/users", new { name = Name, type = "caller", language = "tr", contacts = new[] { new { type = "phone", value = Number, primary = true } } }))
            Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync());
        const string Goodbye = "hayır teşekkür ederim iyi günler";
        // What a caller asks may stand in an article, too: only words that nobody else brought are hers.
        Assert.Empty(await TablesWithAsync(platform.Database, [Goodbye]));
        var report = await platform.CallAsync(Calling.Script("barge-in-tr"), from: Number);
        var record = await api.EndedCallAsync(report.SipCallId);
        Assert.Contains(Goodbye, (await api.StoryAsync(record.CallId)).CallerLines());
        string[] texts = ["5441239876", "544 123 98 76", "Kınalıada", Goodbye];
        output.WriteLine(string.Join(" | ", texts));

        // The control: the search finds her where she has to be. What nobody may ever find her in is looked at before, too.
        Assert.Contains("read_call_record", await TablesWithAsync(platform.Database, texts));
        AssertNothing("log", texts, platform.Log());
        await ForgetAsync(api);

        Assert.Empty(await TablesWithAsync(platform.Database, texts));
        AssertNothing("log", texts, platform.Log());
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(platform.RecordingFolder)!, "*", SearchOption.AllDirectories))
        {
            AssertNothing(file, texts, HostProcess.ReadShared(file));
            Assert.DoesNotContain(record.CallId.ToString(), Path.GetFileName(file), StringComparison.Ordinal);
        }

        await NothingWaitsAtTheBrokerAsync();
        await foreach (var (key, value) in CachedAsync(redis)) AssertNothing(key, texts, key + value);
    }

    private static async Task ForgetAsync(PlatformApi api)
    {
        using var answer = await api.Http.PostAsJsonAsync("v1/erasures", new { subject = Number, reason = "application 2026/18" });
        var reply = await answer.Content.ReadFromJsonAsync<ErasureReply>(Wire.Json);
        Assert.Equal("done", reply?.State);
        Assert.Contains("\"findings\":[]", reply?.Receipt?.Receipt ?? "", StringComparison.Ordinal);
    }

    private static void AssertNothing(string place, string[] texts, string content)
    {
        foreach (var text in texts) Assert.False(content.Contains(text, StringComparison.OrdinalIgnoreCase), $"'{text}' is in {place}.");
    }

    private static async Task<IReadOnlyList<string>> TablesWithAsync(string database, string[] texts)
    {
        await using var source = NpgsqlDataSource.Create(database);
        return await new DatabaseSearch((sql, values) => LinesAsync(source, sql, values)).TablesWithAsync(texts);
    }

    private static async Task<List<string>> LinesAsync(NpgsqlDataSource source, string sql, object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(rows.GetValue(0).ToString() ?? "");
        return lines;
    }

    // A queue that is empty holds nobody; the error queues of handlers that gave up exist only when one did.
    private static async Task NothingWaitsAtTheBrokerAsync()
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(Servers.Rabbit) }.CreateConnectionAsync();
        foreach (var queue in Queues.SelectMany(q => new[] { q, q + "_error", q + "_skipped" }))
        {
            var left = 0u;
            await Until.TrueAsync($"the queue {queue} to be empty", async () => (left = await WaitingAsync(connection, queue)) == 0, Calling.Patience, () => $"It holds {left} messages.");
        }
    }

    private static async Task<uint> WaitingAsync(IConnection connection, string queue)
    {
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404)
        {
            return 0;
        }
    }

    private static async IAsyncEnumerable<(string Key, string Value)> CachedAsync(string address)
    {
        using var redis = await ConnectionMultiplexer.ConnectAsync($"{address},syncTimeout={SearchMs}");
        var database = redis.GetDatabase();
        foreach (var server in redis.GetEndPoints().Select(at => redis.GetServer(at)))
        {
            foreach (var key in server.Keys(database.Database))
            {
                var dump = await database.KeyDumpAsync(key);
                yield return (key.ToString(), dump is null ? "" : Encoding.UTF8.GetString(dump));
            }
        }
    }
}
