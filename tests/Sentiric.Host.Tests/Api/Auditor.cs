using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Host.Tests.Api;

/// <summary>An auditor who has an API key and nothing else.</summary>
internal sealed class Auditor(HttpClient client)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The state of the trail once everything that is stored has been signed.</summary>
    public async Task<AuditState> SignedAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var state = JsonSerializer.Deserialize<AuditState>(await client.GetStringAsync("/v1/events/audit"), Wire.Json)!;
            if (state is { Blocks: > 0, Pending: 0 }) return state;
            Assert.False(limit.IsCancellationRequested, $"Waited for a signature over everything; {state.Pending} events are without one.");
        }
    }

    public Task<AuditVerdict> VerdictAsync(string query = "") => LastAsync<AuditVerdict>("verdict", query);

    /// <summary>Why there is no verdict.</summary>
    public Task<ProblemBody> RefusedAsync(string query) => LastAsync<ProblemBody>("refused", query);

    private async Task<T> LastAsync<T>(string name, string query)
    {
        var body = await client.GetStringAsync("/v1/events/audit/verify" + query);
        Assert.True(body.Contains("event: " + name, StringComparison.Ordinal), body);
        var last = body.Split('\n').SkipWhile(l => l != "event: " + name).Single(l => l.StartsWith("data: ", StringComparison.Ordinal));
        return JsonSerializer.Deserialize<T>(last["data: ".Length..], Wire.Json)!;
    }
}
