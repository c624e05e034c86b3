using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.EventStore.Proofs;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Api;

/// <summary>The audit trail through the product: the host signs by itself, and an auditor asks over HTTP.</summary>
public sealed class AuditingTheLog(AllInOne platform) : IClassFixture<AllInOne>
{
    private HttpClient Client => platform.App.Client;

    private Auditor Auditor => new(Client);

    [Fact]
    public async Task The_host_signs_what_is_stored_and_proves_a_stream()
    {
        var state = await SignedAsync();
        var key = AuditPublicKey.OfPem(Assert.Single(state.Keys).Pem);
        var stream = await StreamAsync();
        var proof = StreamProof.OfJson(await Client.GetStringAsync($"/v1/events/audit/proofs/{Uri.EscapeDataString(stream)}"));
        Assert.Empty(proof.Check([key]));
        Assert.NotEmpty(proof.Events);
        var lines = (await Client.GetStringAsync("/v1/events/audit/checkpoints")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(lines, l => SignedCheckpoint.OfLine(l)?.Statement == proof.Checkpoint.Statement);
    }

    [Fact]
    public async Task A_verification_ends_with_a_verdict_that_names_what_was_changed()
    {
        await SignedAsync();
        Assert.True((await Auditor.VerdictAsync()).Sound);
        await ExecuteAsync("update mt_events set user_name = 'somebody else' where seq_id = 1");
        var verdict = await Auditor.VerdictAsync();
        var found = Assert.Single(verdict.Findings);
        Assert.Equal(("event_changed", 1L, "user_name"), (found.Kind, found.Position, Assert.Single(found.Columns)));
        await ExecuteAsync("update mt_events e set user_name = k.user_name from mt_events_before k where e.seq_id = k.seq_id");
        Assert.True((await Auditor.VerdictAsync("?of=demo")).Sound);
    }

    [Theory]
    [InlineData("?of=nobody", "stream.unknown")]
    [InlineData("?of=demo&stream=call-nobody", "stream.unknown")]
    [InlineData("?after=1000000", "block.unknown")]
    public async Task A_verification_that_compared_nothing_calls_nothing_sound(string query, string code)
    {
        await SignedAsync();
        Assert.Equal(code, (await Auditor.RefusedAsync(query)).Code);
    }

    [Fact]
    public async Task A_verification_of_what_is_there_ends_with_a_verdict()
    {
        var state = await SignedAsync();
        Assert.True((await Auditor.VerdictAsync("?of=demo&stream=" + Uri.EscapeDataString(await StreamAsync()))).Sound);
        Assert.True((await Auditor.VerdictAsync($"?after={state.Blocks}")).Sound);
    }

    [Theory]
    [InlineData("/v1/events/audit/proofs/nobody", "stream.unknown", HttpStatusCode.NotFound)]
    [InlineData("/v1/events/audit/verify?stream=x", "request.tenant_missing", HttpStatusCode.BadRequest)]
    [InlineData("/v1/events/audit/verify?anchor=x", "request.anchor_unreadable", HttpStatusCode.BadRequest)]
    public async Task What_cannot_be_answered_is_a_problem_with_a_code(string path, string code, HttpStatusCode status)
    {
        await SignedAsync();
        var response = await Client.GetAsync(path);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, JsonSerializer.Deserialize<ProblemBody>(await response.Content.ReadAsStringAsync(), Wire.Json)?.Code);
    }

    private async Task<AuditState> SignedAsync()
    {
        await ExecuteAsync("create table if not exists mt_events_before as select seq_id, user_name from mt_events");
        return await Auditor.SignedAsync();
    }

    private async Task<string> StreamAsync()
    {
        await using var command = platform.App.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("select id from mt_streams where tenant_id = 'demo' order by id limit 1");
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = platform.App.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
