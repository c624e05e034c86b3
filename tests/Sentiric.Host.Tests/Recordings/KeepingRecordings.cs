using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Host.Tests.Api;
using Sentiric.Media;
using Sentiric.Media.Tests;
using Sentiric.Testing.Loopback;
using Xunit;

namespace Sentiric.Host.Tests.Recordings;

/// <summary>The platform with a bucket beside it.</summary>
public sealed class PlatformWithBucket : AllInOne
{
    private static readonly S3Credentials Known = new("the-access-key", "the-secret");
    private readonly string _secretFile = Path.GetTempFileName();
    private readonly SmallS3 _store = new(Known);

    public PlatformWithBucket()
    {
        File.WriteAllText(_secretFile, Known.SecretKey + "\n");
        Bucket = new S3Bucket(new HttpClient(), new S3Location(_store.Url, "calls", "us-east-1", Known), TimeProvider.System);
    }

    public S3Bucket Bucket { get; }

    protected override IReadOnlyDictionary<string, string?> Further => new Dictionary<string, string?>
    {
        ["Recording:S3Url"] = _store.Url.ToString(), ["Recording:S3Bucket"] = "calls", ["Recording:S3AccessKey"] = Known.AccessKey, ["Recording:S3SecretKeyFile"] = _secretFile,
        ["Recording:Format"] = "flac",
    };
}

/// <summary>A call is recorded, sealed, carried away, handed out, and unreadable once its caller is forgotten.</summary>
[Trait("Category", "Slow")]
public sealed class KeepingRecordings(PlatformWithBucket platform) : IClassFixture<PlatformWithBucket>
{
    private const string Number = "+905329990011";
    private const string Sdp = "v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

    [Fact]
    public async Task A_recording_is_sealed_at_rest_handed_out_in_the_clear_and_closed_for_good_with_its_caller()
    {
        var (call, uri, told) = await RecordedCallAsync();
        var path = Path.Combine(platform.RecordingFolder, uri);
        await Until(() => !File.Exists(path), "the recording to be carried to the bucket");
        using var stored = new MemoryStream();
        Assert.True(await platform.Bucket.GetAsync(uri, stored, default));
        Assert.NotNull(SealedRecording.Look(stored));

        using (var answer = await platform.App.Client.GetAsync($"/v1/calls/{call}/recording"))
        {
            Assert.Equal((HttpStatusCode.OK, "audio/flac"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            var audio = await answer.Content.ReadAsByteArrayAsync();
            Assert.Equal("fLaC"u8.ToArray(), audio[..4]);
            Assert.Equal((told.Sha256, told.Bytes, "flac"), (Convert.ToHexStringLower(SHA256.HashData(audio)), audio.Length, told.Format));
            using var part = new HttpRequestMessage(HttpMethod.Get, $"/v1/calls/{call}/recording") { Headers = { Range = new(100, 199) } };
            using var ranged = await platform.App.Client.SendAsync(part);
            Assert.Equal(HttpStatusCode.PartialContent, ranged.StatusCode);
            Assert.Equal(audio[100..200], await ranged.Content.ReadAsByteArrayAsync());
        }

        using var erased = await platform.App.Client.PostAsJsonAsync("/v1/erasures", new { subject = Number, reason = "application 2026/18" });
        Assert.True(erased.IsSuccessStatusCode, await erased.Content.ReadAsStringAsync());
        Assert.False(await platform.Bucket.ExistsAsync(uri, default));
        Assert.Equal(HttpStatusCode.NotFound, (await platform.App.Client.GetAsync($"/v1/calls/{call}/recording")).StatusCode);

        // A copy that somebody kept is of no use to anybody, the platform and its master key included.
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, stored.ToArray());
        using var refused = await platform.App.Client.GetAsync($"/v1/calls/{call}/recording");
        Assert.Equal(HttpStatusCode.Gone, refused.StatusCode);
        Assert.Contains("recording.erased", await refused.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_recording_is_checked_against_the_log_and_the_damaged_segment_is_named()
    {
        var (call, uri, _) = await RecordedCallAsync("+905329990022");
        var path = Path.Combine(platform.RecordingFolder, uri);
        await Until(() => !File.Exists(path), "the recording to be carried to the bucket");
        var whole = await CheckAsync(call);
        Assert.True(whole.Intact, string.Join(' ', whole.Segments));
        Assert.Equal((uri, 1), (whole.Uri, whole.Segments.Count));

        using var stored = new MemoryStream();
        Assert.True(await platform.Bucket.GetAsync(uri, stored, default));
        var bytes = stored.ToArray();
        bytes[whole.Segments[0].Offset + 100] ^= 1;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, bytes);
        var changed = await CheckAsync(call);
        Assert.False(changed.Intact);
        Assert.NotEqual(changed.Segments[0].Sha256, changed.Segments[0].Found);
        await File.WriteAllBytesAsync(path, bytes[..(int)(whole.Segments[0].Offset + 50)]);
        Assert.Null((await CheckAsync(call)).Segments[0].Found);
        using var nobody = await platform.App.Client.GetAsync($"/v1/calls/{Guid.NewGuid()}/recording/segments");
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    // Segments are told beside the call: the last one may be on its way.
    private async Task<RecordingVerdict> CheckAsync(Guid call)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (true)
        {
            using var answer = await platform.App.Client.GetAsync($"/v1/calls/{call}/recording/segments", limit.Token);
            if (answer.IsSuccessStatusCode)
            {
                return (await answer.Content.ReadFromJsonAsync<RecordingVerdict>(Wire.Json))!;
            }
        }
    }

    private async Task<(Guid Call, string Uri, RecordingAvailable Told)> RecordedCallAsync(string number = Number)
    {
        var services = platform.App.Services;
        using var created = await platform.App.Client.PostAsJsonAsync(
            "/v1/users", new { name = "Zeynep Ova", type = "caller", language = "tr", contacts = new[] { new { type = "phone", value = number, primary = true } } });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var (call, at) = (Guid.CreateVersion7(), DateTimeOffset.UtcNow);
        await TellAsync(call, new CallReceived(at, Guid.NewGuid().ToString("N"), number, "", "+902121234567", CallDirection.Inbound, "udp", "10.0.0.7:5060"));
        var media = services.GetRequiredService<IMediaSessions>();
        var session = (await media.OpenAsync(new(call, "demo", Sdp), default)).Value.SessionId;
        var uri = (await media.RecordAsync(session, new RecordedPerson(number, null), default)).Value.Uri;
        await media.PlayAsync(session, "p", Tones(), default);
        var told = (await media.CloseAsync(session, default)).Value.Recording!;
        await TellAsync(call, new RecordingStarted(at, uri), told, new CallEnded(at, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 10, 1000, 1000));
        var mark = await services.GetRequiredService<IEventStore>().GetHighWaterMarkAsync();
        await services.GetRequiredService<ProjectionDaemon>().WaitForAsync("CallRecords", mark, Soon.Patience);
        return (call, uri, told);
    }

    private async Task TellAsync(Guid call, params IFact[] facts)
    {
        var entries = facts.Select(f => new JournalEntry(Guid.CreateVersion7(), f, "sip")).ToList();
        var told = await platform.App.Services.GetRequiredService<ICallJournal>().AppendAsync("demo", Streams.Call(call), entries, default);
        Assert.Null(told.Refusal);
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Tones()
    {
        await Task.CompletedTask;
        yield return Tone.Sweep(300, 2_000, TimeSpan.FromMilliseconds(600));
    }

    private static async Task Until(Func<bool> isSo, string what)
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (!isSo())
        {
            Assert.False(limit.IsCancellationRequested, $"Waited for {what}.");
            await Task.Yield();
        }
    }
}
