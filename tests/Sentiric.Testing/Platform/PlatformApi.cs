using System.Net.Http.Headers;
using System.Net.Http.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;

namespace Sentiric.Testing.Platform;

/// <summary>The public API as a test asks it, with the administrator's key.</summary>
public sealed class PlatformApi : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Func<string> log;

    /// <param name="log">What the host wrote last: added to the message when something does not come.</param>
    public PlatformApi(Uri url, string key, Func<string> log)
    {
        this.log = log;
        Http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(30) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public HttpClient Http { get; }

    public async Task<T> GetAsync<T>(string path) =>
        await Http.GetFromJsonAsync<T>("v1/" + path, Wire.Json).ConfigureAwait(false) ?? throw new InvalidDataException($"GET /v1/{path} says null.");

    public async Task<IReadOnlyList<CallRecord>> CallsAsync() => (await GetAsync<Page<CallRecord>>("calls?limit=200").ConfigureAwait(false)).Items;

    /// <summary>The record of the call with this SIP Call-ID, once the call has begun.</summary>
    public Task<CallRecord> CallAsync(string sipCallId) => Until.AsksAsync(
        $"a record of the call {sipCallId}", async () => (await CallsAsync().ConfigureAwait(false)).FirstOrDefault(c => c.SipCallId == sipCallId), Patience, log);

    /// <summary>The same, once the call is over.</summary>
    public Task<CallRecord> EndedCallAsync(string sipCallId, TimeSpan? limit = null) => Until.AsksAsync(
        $"the end of the call {sipCallId} in its record",
        async () => (await CallsAsync().ConfigureAwait(false)).FirstOrDefault(c => c.SipCallId == sipCallId && c.EndReason is not null), limit ?? Patience, log);

    public Task<CallDetail> DetailAsync(Guid callId) => GetAsync<CallDetail>($"calls/{callId}");

    public Task<IReadOnlyList<LiveCall>> LiveAsync() => GetAsync<IReadOnlyList<LiveCall>>("calls/live");

    public async Task<CallStory> StoryAsync(Guid callId) => new(await GetAsync<IReadOnlyList<HistoryEntry>>($"calls/{callId}/events").ConfigureAwait(false));

    /// <summary>The story, once it holds an event of this kind that fits.</summary>
    public Task<CallStory> StoryWithAsync<T>(Guid callId, Func<T, bool>? fits = null, TimeSpan? limit = null)
        where T : IFact => Until.AsksAsync(
        $"a fitting {typeof(T).Name} in call {callId}",
        async () => await StoryAsync(callId).ConfigureAwait(false) is var story && story.All<T>().Any(fits ?? (_ => true)) ? story : null, limit ?? Patience, log);

    public async Task RebuildAsync(string projection)
    {
        using var response = await Http.PostAsync($"v1/projections/{projection}/rebuild", null).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
    }

    public void Dispose() => Http.Dispose();
}
