using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Api;

/// <summary>The event store over the whole platform's HTTP: figures, export, import, metrics, pause.</summary>
public sealed class OperatingTheStore(AllInOne platform) : IClassFixture<AllInOne>
{
    private HttpClient Client => platform.App.Client;

    [Fact]
    public async Task An_export_is_taken_back_and_stores_nothing_twice()
    {
        var file = await SeededExportAsync();
        Assert.StartsWith("{\"format\":\"eventstore-export\"", file, StringComparison.Ordinal);
        var report = await ImportAsync(file, packed: false);
        Assert.Equal((file.Split('\n').Length - 3, 0), (report.GetProperty("already_stored").GetInt32(), report.GetProperty("stored").GetInt32()));
        Assert.Equal(report.ToString(), (await ImportAsync(file, packed: true)).ToString());
    }

    [Theory]
    [InlineData("import.not_an_export", "hello\n")]
    [InlineData("import.incomplete", "{\"format\":\"eventstore-export\",\"version\":1}\n")]
    [InlineData("import.version_unknown", "{\"format\":\"eventstore-export\",\"version\":2}\n")]
    public async Task A_body_that_is_no_export_is_refused_by_name(string code, string body)
    {
        using var response = await Client.PostAsync("/v1/events/import", new StringContent(body, Encoding.UTF8, "application/x-ndjson"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(code, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_import_may_be_larger_than_other_bodies()
    {
        var file = "{\"format\":\"eventstore-export\",\"version\":1}\n" + string.Concat(Enumerable.Range(0, 60_000).Select(_ => "{\"tenant\":\"demo\",\"x\":\"" + new string('x', 40) + "\"}\n"));
        using var response = await Client.PostAsync("/v1/events/import", new StringContent(file, Encoding.UTF8, "application/x-ndjson"));
        Assert.Equal("import.line_unreadable", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task The_metrics_tell_what_was_appended_and_nothing_of_anybody()
    {
        await SeededExportAsync();
        using var response = await Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var text = await response.Content.ReadAsStringAsync();
        foreach (var name in new[] { "eventstore_append_events_total", "eventstore_append_duration_seconds_bucket", "eventstore_append_queue", "eventstore_highwater_position", "eventstore_read_events_total", "eventstore_projection_events_total" })
            Assert.Contains(name, text, StringComparison.Ordinal);
        Assert.DoesNotContain("tenant", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_model_is_paused_and_resumed()
    {
        await SeededExportAsync();
        var paused = await PostAsync("/v1/projections/CallRecords/pause?reason=maintenance");
        Assert.Equal(("paused", "maintenance", "key:admin"), (paused.GetProperty("state").GetString(), paused.GetProperty("pause").GetProperty("reason").GetString(), paused.GetProperty("pause").GetProperty("by").GetString()));
        Assert.Contains("store.shard_paused", await Client.GetStringAsync("/health/ready"), StringComparison.Ordinal);
        Assert.NotEqual("paused", (await PostAsync("/v1/projections/CallRecords/resume")).GetProperty("state").GetString());
        Assert.DoesNotContain("store.shard_paused", await Client.GetStringAsync("/health/ready"), StringComparison.Ordinal);
    }

    private async Task<JsonElement> PostAsync(string path)
    {
        using var response = await Client.PostAsync(path, null);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    // The seed is written in the background after the start: two exports that agree, with events in them, are of a store at rest.
    private async Task<string> SeededExportAsync()
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        for (var (before, now) = ("", "?"); ; before = now)
        {
            now = await Client.GetStringAsync("/v1/events/export?tenant=*");
            if (now == before && now.Contains("article_published", StringComparison.Ordinal)) return now;
            Assert.False(limit.IsCancellationRequested, "Waited for the demo tenant to be written.");
        }
    }

    private async Task<JsonElement> ImportAsync(string file, bool packed)
    {
        using var body = new MemoryStream();
        await using (var stream = packed ? new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true) : (Stream)body)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(file));
            if (!packed) body.Position = 0;
            if (packed) await stream.FlushAsync();
            if (!packed) return await SendAsync(body, packed);
        }

        body.Position = 0;
        return await SendAsync(body, packed);
    }

    private async Task<JsonElement> SendAsync(Stream body, bool packed)
    {
        using var content = new StreamContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        if (packed) content.Headers.ContentEncoding.Add("gzip");
        using var response = await Client.PostAsync("/v1/events/import", content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
