using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;

namespace Sentiric.Host.Tests.Api;

/// <summary>Who ordered a removal, told over HTTP: in the report of a verification and in the list of a stream's truncations.</summary>
public sealed class OrderedRemovals(Unbounded platform) : IClassFixture<Unbounded>
{
    private HttpClient Client => platform.App.Client;

    private Auditor Auditor => new(Client);

    [Fact]
    public async Task The_report_and_the_list_of_truncations_tell_ordered_removals_from_older_and_from_forged_ones()
    {
        var (old, ordered, forged) = (await EndedCallAsync(), await EndedCallAsync(), await EndedCallAsync());
        await Auditor.SignedAsync();
        await TakeAwayAsync(old);
        Assert.Equal((null, RemovalOrdering.BeforeOrders), await ListedAsync(old));
        await SignedAsync(old);

        var done = await TruncateAsync(ordered);
        Assert.Null(done.Order);
        var key = (await Auditor.SignedAsync()).Keys[^1].KeyId;
        Assert.Equal((key, RemovalOrdering.Ordered), await ListedAsync(ordered));
        await SignedAsync(ordered);
        await TakeAwayAsync(forged);
        Assert.Equal((null, RemovalOrdering.NotOrdered), await ListedAsync(forged));
        await SignedAsync(forged);

        var verdict = await Auditor.VerdictAsync();
        Assert.Equal(("removal_not_ordered", forged), (Assert.Single(verdict.Findings).Kind, verdict.Findings[0].Stream));
        Assert.Equal(
            [(old, null, RemovalOrdering.BeforeOrders, true), (ordered, key, RemovalOrdering.Ordered, true), (forged, null, RemovalOrdering.NotOrdered, true)],
            verdict.Removals.Select(r => (r.Stream, r.OrderedBy, r.Order, r.SignedAt is not null)));
        Assert.Equal((key, RemovalOrdering.Ordered), Assert.Single((await Auditor.VerdictAsync($"?of=demo&stream={ordered}")).Removals) is var one ? (one.OrderedBy, one.Order) : default);

        var body = await Client.GetStringAsync("/v1/events/audit/verify");
        foreach (var said in new[] { "\"order\":\"ordered\"", "\"order\":\"before_orders\"", "\"order\":\"not_ordered\"", $"\"ordered_by\":\"{key}\"" }) Assert.Contains(said, body, StringComparison.Ordinal);
        Assert.Empty(await Client.GetFromJsonAsync<List<TruncationReply>>("/v1/events/streams/nobody/truncations", Wire.Json) ?? [null!]);
    }

    private async Task<(string? OrderedBy, RemovalOrdering? Order)> ListedAsync(string stream) => await TruncationAsync(stream) is var listed ? (listed.OrderedBy, listed.Order) : default;

    private async Task<TruncationReply> TruncationAsync(string stream) =>
        Assert.Single(await Client.GetFromJsonAsync<List<TruncationReply>>($"/v1/events/streams/{stream}/truncations", Wire.Json) ?? []);

    /// <summary>The notary looks every few seconds.</summary>
    private async Task SignedAsync(string stream)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await TruncationAsync(stream)).SignedAt is null) Assert.False(limit.IsCancellationRequested, $"Waited for the record of {stream} to be signed.");
    }

    private async Task<TruncationReply> TruncateAsync(string stream)
    {
        using var answer = await Client.PostAsJsonAsync($"/v1/events/streams/{stream}/truncate", new { before_version = 3, reason = "retention", even_unread = true });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<TruncationReply>(text, Wire.Json)!;
    }

    // What somebody does who may write to the tables and has no key.
    private async Task TakeAwayAsync(string stream)
    {
        await using var command = platform.App.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand($"""
            with gone as (delete from mt_events where stream_id = '{stream}' and version < 3 returning tenant_id, stream_id, seq_id)
            insert into sx_stream_truncation (tenant_id, stream_id, before_version, events, first_seq_id, last_seq_id, sha256, reason, actor, truncated_at)
            select tenant_id, stream_id, 3, count(*), min(seq_id), max(seq_id), sha256('x'), 'asked to', 'officer', now() from gone group by 1, 2
            """);
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private async Task<string> EndedCallAsync()
    {
        var (stream, at) = (Streams.Call(Guid.CreateVersion7()), TimeProvider.System.GetUtcNow());
        object[] facts = [new CallRinging(at), new CallAnswered(at, 10), new CallEnded(at, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 10, 1000, 1000)];
        await platform.App.Services.GetRequiredService<IEventStore>().AppendToStreamAsync(
            "demo", stream, ExpectedVersion.Any, [.. facts.Select(fact => EventData.Of(fact, new EventMetadata(Actor: "sip", OccurredAt: at)))]);
        return stream;
    }
}
