using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;

namespace Sentiric.Host.Tests.Api;

/// <summary>A platform in a schema of its own with Marten 8's tables and a folder for old streams.</summary>
public sealed class InItsOwnSchema : AllInOne
{
    protected override IReadOnlyDictionary<string, string?> Further => new Dictionary<string, string?>
    {
        ["Store:Schema"] = "telephony", ["Store:Marten"] = "8", ["Store:ArchiveFolder"] = Path.Combine(RecordingFolder, "old"),
    };
}

/// <summary>Streams closed, opened, shortened, put into files and taken out again, over the whole platform's HTTP.</summary>
public sealed class LifeOfStreams(InItsOwnSchema platform) : IClassFixture<InItsOwnSchema>
{
    private HttpClient Client => platform.App.Client;

    private IEventStore Store => platform.App.Services.GetRequiredService<IEventStore>();

    [Fact]
    public async Task Everything_lies_in_the_schema_that_the_settings_name()
    {
        await EndedCallAsync(DateTimeOffset.UtcNow);
        Assert.Equal(["telephony"], await LinesAsync("select distinct schemaname::text from pg_tables where tablename ~ '^(mt_|sx_|read_)'"));
        // Marten 9 keeps binary payloads in a column that 8 does not know.
        Assert.Equal(["0"], await LinesAsync("select count(*) from information_schema.columns where table_name = 'mt_events' and column_name = 'bdata'"));
    }

    [Fact]
    public async Task A_closed_stream_is_opened_again()
    {
        var stream = await EndedCallAsync(DateTimeOffset.UtcNow);
        await ExpectAsync(HttpStatusCode.NoContent, $"/v1/events/streams/{stream}/archive");
        Assert.True((await Client.GetFromJsonAsync<StreamPage>($"/v1/events/streams/{stream}", Wire.Json))?.Archived);
        await ExpectAsync(HttpStatusCode.NoContent, $"/v1/events/streams/{stream}/unarchive");
        Assert.False((await Client.GetFromJsonAsync<StreamPage>($"/v1/events/streams/{stream}", Wire.Json))?.Archived);
        Assert.Equal("stream.unknown", await RefusedAsync("/v1/events/streams/call-none/archive", null, HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task A_command_on_a_stream_that_an_operator_closed_or_shortened_is_told_so()
    {
        var user = Guid.CreateVersion7();
        using (var created = await SendAsync("/v1/users", new { user_id = user, name = "Ali", type = "caller" })) Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using (var disabled = await SendAsync($"/v1/users/{user}/disable", new { why = "left" })) Assert.Equal(HttpStatusCode.NoContent, disabled.StatusCode);
        await ExpectAsync(HttpStatusCode.NoContent, $"/v1/events/streams/user-{user}/archive");
        Assert.Equal("stream.archived", await RefusedAsync($"/v1/users/{user}/enable", null, HttpStatusCode.Conflict));
        await ExpectAsync(HttpStatusCode.NoContent, $"/v1/events/streams/user-{user}/unarchive");
        await PostAsync<TruncationReply>($"/v1/events/streams/user-{user}/truncate", new { before_version = 2, reason = "retention", even_unread = true });
        Assert.Equal("stream.truncated", await RefusedAsync($"/v1/users/{user}/enable", null, HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task A_stream_is_shortened_with_a_record_that_names_who_and_why()
    {
        var stream = await EndedCallAsync(DateTimeOffset.UtcNow);
        var path = $"/v1/events/streams/{stream}/truncate";
        Assert.Equal("stream.reason_missing", await RefusedAsync(path, new { before_version = 3, reason = "" }, HttpStatusCode.UnprocessableEntity));
        Assert.Equal("stream.version_invalid", await RefusedAsync(path, new { before_version = 0, reason = "retention" }, HttpStatusCode.UnprocessableEntity));
        Assert.Equal("stream.nothing_to_truncate", await RefusedAsync(path, new { before_version = 1, reason = "retention" }, HttpStatusCode.UnprocessableEntity));
        Assert.Equal("stream.unknown", await RefusedAsync("/v1/events/streams/call-none/truncate", new { before_version = 2, reason = "retention" }, HttpStatusCode.NotFound));
        var done = await PostAsync<TruncationReply>(path, new { before_version = 3, reason = "retention", even_unread = true });
        Assert.Equal((2, 3, "retention", "key:admin"), (done.Events, done.BeforeVersion, done.Why, done.Actor));
        var listed = Assert.Single(await Client.GetFromJsonAsync<List<TruncationReply>>($"/v1/events/streams/{stream}/truncations", Wire.Json) ?? []);
        Assert.Equal(RemovalOrdering.Ordered, listed.Order);
        Assert.Equal(done, listed with { SignedAt = null, OrderedBy = null, Order = null });
        Assert.Equal(3, (await Client.GetFromJsonAsync<StreamPage>($"/v1/events/streams/{stream}", Wire.Json))?.Events[0].Version);
        await EveryRemovalIsOrderedAsync();
    }

    [Fact]
    public async Task Old_calls_go_into_files_can_be_read_there_and_come_back()
    {
        var (old, young) = (await EndedCallAsync(DateTimeOffset.UtcNow.AddDays(-400)), await EndedCallAsync(DateTimeOffset.UtcNow));
        await ReadAsync();
        Assert.Equal("files.days_invalid", await RefusedAsync("/v1/events/files/archive", new { older_than_days = 0 }, HttpStatusCode.UnprocessableEntity));
        var moved = await PostAsync<FileMoveReply>("/v1/events/files/archive", new { older_than_days = 365, tenant = "demo" });
        Assert.Equal((1, 3), (moved.Streams, moved.Events));
        Assert.Equal(1, (await PostAsync<FileCheckReply>("/v1/events/files/verify", null)).Files);
        Assert.Equal(["0"], await LinesAsync($"select count(*) from mt_events where stream_id = '{old}'"));
        Assert.Equal(3, (await Client.GetFromJsonAsync<StreamPage>($"/v1/events/streams/{old}", Wire.Json))?.Events.Count);
        Assert.Equal(["3"], await LinesAsync($"select count(*) from mt_events where stream_id = '{young}'"));
        Assert.Equal("stream.in_file", await RefusedAsync($"/v1/events/streams/{old}/unarchive", null, HttpStatusCode.UnprocessableEntity));
        Assert.Equal("files.tenant_missing", await RefusedAsync("/v1/events/files/restore", new { stream = old }, HttpStatusCode.UnprocessableEntity));
        Assert.Equal(3, (await PostAsync<FileMoveReply>("/v1/events/files/restore", new { tenant = "demo", stream = old })).Events);
        Assert.Equal(["3"], await LinesAsync($"select count(*) from mt_events where stream_id = '{old}'"));
        Assert.Single((await PostAsync<FileCheckReply>("/v1/events/files/verify", null)).Unused);
        await EveryRemovalIsOrderedAsync();
    }

    [Fact]
    public async Task Data_keys_are_wrapped_anew_over_HTTP() =>
        Assert.Equal("first", (await PostAsync<RewrapReply>("/v1/erasures/master-key", null)).KeyId);

    /// <summary>With the platform's audit key, in the transaction that removed.</summary>
    private async Task EveryRemovalIsOrderedAsync() => Assert.Equal(
        ["True"], await LinesAsync("select count(*) > 0 and count(*) = (select count(*) from sx_stream_truncation) + (select count(*) from sx_stream_move) from sx_audit_order"));

    // Three events as another platform recorded them at that time.
    private async Task<string> EndedCallAsync(DateTimeOffset at)
    {
        var call = Streams.Call(Guid.CreateVersion7());
        object[] facts =
        [
            new CallReceived(at, Guid.NewGuid().ToString("N"), "+905321112233", "Ayşe Yılmaz", "+902121234567", CallDirection.Inbound, "udp", "10.0.0.7:5060"),
            new CallAnswered(at, 10),
            new CallEnded(at, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 10, 1000, 1000),
        ];
        await ((IEventImporter)Store).ImportAsync(facts.Select((fact, i) =>
        {
            var kind = Store.Serializer.NameOf(fact.GetType());
            return new ImportedEvent("demo", call, i + 1, Guid.CreateVersion7(), kind, at, Store.Serializer.Serialize(fact), new EventMetadata(Actor: "sip"));
        }).ToAsyncEnumerable());
        return call;
    }

    private async Task ReadAsync()
    {
        var mark = await Store.GetHighWaterMarkAsync();
        var daemon = platform.App.Services.GetRequiredService<ProjectionDaemon>();
        foreach (var status in daemon.Status) await daemon.WaitForAsync(status.Name, mark, TimeSpan.FromSeconds(20));
        await daemon.WaitForAsync("CallRecords", mark, TimeSpan.FromSeconds(20));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        // The relay is a subscription of its own; a stream that it has not read stays in the tables.
        while ((await LinesAsync($"select count(*) from mt_event_progression where name like '%:%' and coalesce(last_seq_id, 0) < {mark}"))[0] != "0")
            Assert.False(limit.IsCancellationRequested, "Waited for every subscription to have read everything.");
    }

    private async Task<T> PostAsync<T>(string path, object? body)
    {
        using var answer = await SendAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonSerializer.Deserialize<T>(text, Wire.Json)!;
    }

    private async Task ExpectAsync(HttpStatusCode status, string path)
    {
        using var answer = await SendAsync(path, null);
        Assert.True(answer.StatusCode == status, await answer.Content.ReadAsStringAsync());
    }

    private async Task<string?> RefusedAsync(string path, object? body, HttpStatusCode status)
    {
        using var answer = await SendAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("code").GetString();
    }

    private Task<HttpResponseMessage> SendAsync(string path, object? body) => body is null ? Client.PostAsync(path, null) : Client.PostAsJsonAsync(path, body);

    private async Task<List<string>> LinesAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(platform.Database) { SearchPath = "telephony" }.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(rows.GetValue(0).ToString() ?? "");
        return lines;
    }
}
