using System.Net.Http.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Host.Tests.Api;

/// <summary>A new audit key, introduced as docs/audit.md says, on a platform where something was removed under the one before.</summary>
public sealed class ChangingTheAuditKey(AllInOne platform) : IClassFixture<AllInOne>
{
    private Auditor Auditor => new(platform.App.Client);

    [Fact]
    [Trait("Category", "Slow")]
    public async Task What_the_former_key_signed_and_ordered_last_is_no_finding_under_the_new_one()
    {
        var stream = "user-" + await UserAsync();
        var old = (await Auditor.SignedAsync()).KeyId;
        using (var truncated = await platform.App.Client.PostAsJsonAsync($"/v1/events/streams/{stream}/truncate", new { before_version = 2, reason = "retention", even_unread = true }))
            Assert.True(truncated.IsSuccessStatusCode, await truncated.Content.ReadAsStringAsync());
        await RecordSignedAsync(stream);

        var (file, former) = (Path.Combine(platform.RecordingFolder, "audit-key.pem"), Path.Combine(platform.RecordingFolder, "former.pem"));
        File.Move(file, former);
        await platform.RestartAsync(("Audit:FormerKeyFile", former));
        await AssertSoundAsync(stream, old);
        await UserAsync();
        Assert.NotEqual(old, (await Auditor.SignedAsync()).KeyId);
        await AssertSoundAsync(stream, old);
    }

    private async Task AssertSoundAsync(string stream, string? key)
    {
        var verdict = await Auditor.VerdictAsync();
        Assert.True(verdict.Sound, string.Join('\n', verdict.Findings));
        var gone = Assert.Single(verdict.Removals);
        Assert.Equal((stream, RemovalOrdering.Ordered, key), (gone.Stream, gone.Order, gone.OrderedBy));
        Assert.True((await Auditor.VerdictAsync("?of=demo")).Sound);
    }

    private async Task<Guid> UserAsync()
    {
        var user = Guid.CreateVersion7();
        (await platform.App.Client.PostAsJsonAsync("/v1/users", new { user_id = user, name = "Ali", type = "caller" })).EnsureSuccessStatusCode();
        (await platform.App.Client.PostAsJsonAsync($"/v1/users/{user}/disable", new { why = "left" })).EnsureSuccessStatusCode();
        return user;
    }

    private async Task RecordSignedAsync(string stream)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Assert.Single(await platform.App.Client.GetFromJsonAsync<List<TruncationReply>>($"/v1/events/streams/{stream}/truncations", Wire.Json) ?? []).SignedAt is null)
            Assert.False(limit.IsCancellationRequested, "Waited for the record of the truncation to be signed.");
    }
}
