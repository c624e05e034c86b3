using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Host.Tests.Api;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.Host.Tests.Privacy;

/// <summary>A person who called and registered is forgotten; somebody else of the same tenant is not.</summary>
[Trait("Category", "Slow")]
public sealed class ErasingAPerson(AllInOne platform) : IClassFixture<AllInOne>, IAsyncLifetime
{
    private const string Ayse = "+905327778899", AyseName = "Ayşe Karadeniz", AyseSaid = "belimde fıtık var";
    private const string Ali = "+905334445566", AliName = "Ali Toros", AliSaid = "dişim ağrıyor";
    private static readonly string[] Spellings = ["5327778899", "532 777 88 99", "905327778899", "Karadeniz", "fıtık"];

    // One for all questions: every table is asked, several times.
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(platform.Database);

    private HttpClient Client => platform.App.Client;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _database.DisposeAsync().AsTask();

    [Fact]
    public async Task A_forgotten_caller_is_found_nowhere_and_the_other_one_everywhere()
    {
        var (ayse, ayseCall) = await CallAsync(Ayse, AyseName, AyseSaid);
        var (ali, aliCall) = await CallAsync(Ali, AliName, AliSaid);
        await ReadAsync();
        // The control: before, the search finds her in the read models and her recording in the folder, and nowhere in the log.
        var before = await FindAsync(Spellings);
        Assert.Contains("read_call_record", before);
        Assert.Contains("read_transcript_line", before);
        Assert.Contains("mt_doc_user_directory", before);
        Assert.DoesNotContain("mt_events", before);
        Assert.DoesNotContain("mt_streams", before);
        Assert.True(File.Exists(Recording(ayseCall)));

        var dry = await PostAsync(new { subject = "0532 777 88 99", dry_run = true }, HttpStatusCode.OK);
        Assert.Equal("dry_run", dry.State);
        Assert.Contains(Streams.Call(ayseCall), dry.Streams);
        Assert.Contains(Streams.User(ayse), dry.Streams);
        Assert.Contains("read_call_record", await FindAsync(Spellings));

        var auditor = new Auditor(Client);
        var signed = await auditor.SignedAsync();
        var wrapped = await WrappedKeyAsync(ayse);
        Assert.NotEmpty(await FilesWithAsync(wrapped));
        var erased = await PostAsync(new { subject = ayse.ToString(), reason = "application 2026/17" }, HttpStatusCode.Created);
        Assert.Equal("done", erased.State);
        Assert.Empty(await FindAsync(Spellings));
        Assert.False(File.Exists(Recording(ayseCall)));
        Assert.Empty(await FilesWithAsync(wrapped));

        Assert.True(File.Exists(Recording(aliCall)));
        Assert.Contains("read_transcript_line", await FindAsync([AliSaid]));
        Assert.Contains("mt_doc_user_directory", await FindAsync([AliName]));
        var call = await Client.GetFromJsonAsync<CallDetail>($"/v1/calls/{ayseCall}", Wire.Json);
        Assert.Equal("[erased]", call?.Record.From);
        Assert.Equal("[erased]", Assert.Single(call?.Transcript ?? []).Text);
        Assert.Equal(AliSaid, Assert.Single((await Client.GetFromJsonAsync<CallDetail>($"/v1/calls/{aliCall}", Wire.Json))?.Transcript ?? []).Text);

        // What was signed before the key was destroyed is still what is stored.
        Assert.True((await auditor.SignedAsync()).Blocks > signed.Blocks);
        var verdict = await auditor.VerdictAsync();
        Assert.True(verdict.Sound, string.Join("; ", verdict.Findings));

        await ReceiptHoldsAsync(erased);
        await RebuiltRowsAreTheSameAsync();
        Assert.Empty(await FindAsync(Spellings));
        Assert.NotEqual(ali, ayse);
    }

    [Fact]
    public async Task Who_is_not_known_cannot_be_erased()
    {
        using var nobody = await Client.PostAsJsonAsync("/v1/erasures", new { subject = "+905000000000", dry_run = true });
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
        using var nameless = await Client.PostAsJsonAsync("/v1/erasures", new { subject = Guid.NewGuid().ToString() });
        Assert.Equal((HttpStatusCode)422, nameless.StatusCode);
    }

    private async Task<(Guid User, Guid Call)> CallAsync(string number, string name, string said)
    {
        using var created = await Client.PostAsJsonAsync("/v1/users", new { name, type = "caller", language = "tr", contacts = new[] { new { type = "phone", value = number, primary = true } } });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var user = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("user_id").GetGuid();
        var call = Guid.CreateVersion7();
        var at = DateTimeOffset.UtcNow;
        var file = $"{call:D}.wav";
        await File.WriteAllTextAsync(Path.Combine(platform.RecordingFolder, file), "audio");
        IFact[] facts =
        [
            new CallReceived(at, Guid.NewGuid().ToString("N"), number, name, "+902121234567", CallDirection.Inbound, "udp", "10.0.0.7:5060"),
            new SipMessageLogged(at, true, "udp", "10.0.0.7:5060", $"INVITE from {number}", 900, "10.0.0.1:5060", $"INVITE sip:x SIP/2.0\r\nFrom: <sip:{number}@x>\r\n\r\n"),
            new UserIdentifiedForCall(at, user, name, UserType.Caller, "tr", number),
            new CallAnswered(at, 10),
            new RecordingStarted(at, file),
            new TranscriptFinal(at, 1, Speaker.Caller, said, 0.9, 100, 900, null, said),
            new DialogTurnCompleted(at, 1, said, "anladım", 0.9, new TurnLatency(1, 1, 1, 1, 4)),
            new CallEnded(at, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 10, 1000, 1000),
        ];
        var told = await platform.App.Services.GetRequiredService<ICallJournal>().AppendAsync(
            "demo", Streams.Call(call), [.. facts.Select(f => new JournalEntry(Guid.CreateVersion7(), f, "sip"))], default);
        Assert.Null(told.Refusal);
        return (user, call);
    }

    private string Recording(Guid call) => Path.Combine(platform.RecordingFolder, $"{call:D}.wav");

    private async Task ReadAsync()
    {
        var mark = await platform.App.Services.GetRequiredService<IEventStore>().GetHighWaterMarkAsync();
        var daemon = platform.App.Services.GetRequiredService<ProjectionDaemon>();
        foreach (var status in daemon.Status) await daemon.WaitForAsync(status.Name, mark, TimeSpan.FromSeconds(20));
    }

    private async Task<ErasureReply> PostAsync(object body, HttpStatusCode expected)
    {
        using var answer = await Client.PostAsJsonAsync("/v1/erasures", body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(expected == answer.StatusCode, text);
        return JsonSerializer.Deserialize<ErasureReply>(text, Wire.Json)!;
    }

    private async Task ReceiptHoldsAsync(ErasureReply erased)
    {
        var kept = await Client.GetFromJsonAsync<ErasureReply>($"/v1/erasures/{erased.Id}", Wire.Json);
        Assert.Equal(erased.Receipt, kept?.Receipt);
        var receipt = JsonDocument.Parse(erased.Receipt?.Receipt ?? "").RootElement;
        Assert.Equal(0, receipt.GetProperty("findings").GetArrayLength());
        Assert.Equal(1, receipt.GetProperty("counts").GetProperty("recordings").GetInt64());
        Assert.DoesNotContain(Spellings, text => (erased.Receipt?.Receipt ?? "").Contains(text, StringComparison.Ordinal));
    }

    private async Task RebuiltRowsAreTheSameAsync()
    {
        await ReadAsync();
        foreach (var (model, table) in new[] { ("CallRecords", "read_call_record"), ("Transcripts", "read_transcript_line"), ("user_directory", "mt_doc_user_directory") })
        {
            var sql = $"select coalesce(md5(string_agg(t::text, '|' order by t::text)), '-') from {table} t";
            var live = await LinesAsync(sql);
            await platform.App.Services.GetRequiredService<ProjectionDaemon>().RebuildAsync(model);
            Assert.Equal(live, await LinesAsync(sql));
        }
    }

    private Task<IReadOnlyList<string>> FindAsync(string[] texts) => new DatabaseSearch(LinesAsync).TablesWithAsync(texts);

    private Task<IReadOnlyList<string>> FilesWithAsync(byte[] bytes) => new DatabaseSearch(LinesAsync).FilesWithAsync(bytes);

    private async Task<byte[]> WrappedKeyAsync(Guid user)
    {
        await using var command = _database.CreateCommand("select wrapped_dek from sx_subject_key where subject_id = $1");
        command.Parameters.Add(new() { Value = "user:" + user.ToString("D") });
        return Assert.IsType<byte[]>(await command.ExecuteScalarAsync());
    }

    private async Task<List<string>> LinesAsync(string sql, params object[] values)
    {
        await using var command = _database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(rows.GetValue(0).ToString() ?? "");
        return lines;
    }
}
