using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Sentiric.EventStore;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;
using Sentiric.Testing.Postgres;

namespace Sentiric.Host.Tests.Api;

/// <summary>The whole platform in this process: its own database, the bus in memory, every port 0, speech engines that are elsewhere (and away).</summary>
public class AllInOne : IAsyncLifetime
{
    public const string AdminKey = "the-admin-key";
    private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-host-").FullName;
    private readonly string _masterKey = MasterKeys.NewKey("first");
    private string _connection = "";

    public string Database => _connection;

    /// <summary>Settings beside the usual ones.</summary>
    protected virtual IReadOnlyDictionary<string, string?> Further { get; } = new Dictionary<string, string?>();

    public string RecordingFolder => _folder;

    public LoopbackApp App { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _connection = await PostgresInstance.GetAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "admin.key"), AdminKey);
        await StartAsync([]);
    }

    /// <summary>The same database and folder under other settings.</summary>
    public async Task RestartAsync(params (string Name, string Value)[] settings)
    {
        await App.DisposeAsync();
        await StartAsync(settings);
    }

    private async Task StartAsync((string Name, string Value)[] settings)
    {
        App = await LoopbackApp.StartAsync(Composition.Build([], builder =>
        {
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:Postgres"] = _connection,
                ["Sip:Listen"] = "udp://127.0.0.1:0,tcp://127.0.0.1:0",
                ["Media:PortRange"] = "0",
                ["Recording:Folder"] = _folder,
                ["Speech:RemoteUrl"] = "http://127.0.0.1:1/",
                ["Gateway:AdminKeyFile"] = Path.Combine(_folder, "admin.key"),
                ["Privacy:MasterKeys"] = _masterKey,
                ["Demo:Seed"] = "true",
            });
            builder.Configuration.AddInMemoryCollection(Further);
            builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)));
        }));
        App.Client.DefaultRequestHeaders.Add("X-Api-Key", AdminKey);
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await PostgresInstance.DropAsync(_connection);
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>The same for tests that ask again and again until something is so: without a bound on their requests.</summary>
public sealed class Unbounded : AllInOne
{
    protected override IReadOnlyDictionary<string, string?> Further { get; } = new Dictionary<string, string?> { ["Gateway:RequestsPerMinute"] = "1000000" };
}

public sealed class SpeakingTheApi(AllInOne platform) : IClassFixture<AllInOne>
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private HttpClient Client => platform.App.Client;

    [Fact]
    public async Task The_OpenAPI_document_is_the_one_that_was_approved()
    {
        using var document = JsonDocument.Parse(await Client.GetStringAsync("/openapi/v1.json"));
        Golden.Check(JsonSerializer.Serialize(document, Readable), "src", "Apps", "Sentiric.Host", "openapi.v1.json");
    }

    [Fact]
    public async Task Every_path_of_the_document_is_under_v1_and_no_internal_one_is_told()
    {
        using var document = JsonDocument.Parse(await Client.GetStringAsync("/openapi/v1.json"));
        var paths = document.RootElement.GetProperty("paths").EnumerateObject().Select(p => p.Name).ToList();
        Assert.All(paths, p => Assert.StartsWith("/v1/", p));
        Assert.Contains("/v1/calls/{callId}/terminate", paths);
        Assert.Contains("/v1/users", paths);
    }

    [Theory]
    [InlineData("GET", "/v1/no/such/path", null, null, 404, "route.unknown_path")]
    [InlineData("GET", "/v1/calls/not-a-guid", null, null, 404, "route.unknown_path")]
    [InlineData("GET", "/v1/calls/01930000-0000-7000-8000-000000000099", null, null, 404, "call.unknown")]
    [InlineData("PATCH", "/v1/calls", "{}", "application/json", 405, "route.method_not_allowed")]
    [InlineData("POST", "/v1/users", "{\"name\":", "application/json", 400, null)]
    [InlineData("POST", "/v1/chats", "{\"assistant_id\":", "application/json", 400, "request.invalid")]
    [InlineData("POST", "/v1/chats", "assistant_id=x", "application/x-www-form-urlencoded", 415, "request.content_type")]
    [InlineData("POST", "/v1/chats/not-a-guid/messages", "{}", "application/json", 404, "route.unknown_path")]
    [InlineData("GET", "/v1/calls?limit=many", null, null, 400, "request.invalid")]
    [InlineData("GET", "/v1/calls?since=yesterday", null, null, 400, "request.invalid")]
    [InlineData("GET", "/v1/knowledge/search", null, null, 400, "request.invalid")]
    [InlineData("GET", "/v1/dialplan/resolve", null, null, 400, "request.invalid")]
    [InlineData("POST", "/v1/projections/None/rebuild", null, null, 404, "projection.unknown")]
    public async Task Every_error_is_a_problem_with_a_code(string method, string path, string? body, string? type, int status, string? code)
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, type!);
        await AssertProblemAsync(await Client.SendAsync(request), status, code);
    }

    [Theory]
    [InlineData("/v1/users")]
    [InlineData("/v1/chats")]
    public async Task A_body_that_is_too_large_is_413(string path) =>
        await AssertProblemAsync(await Client.PostAsJsonAsync(path, new { name = new string('x', 3 * 1024 * 1024), assistant_id = "x" }), 413, "request.too_large");

    [Fact]
    public async Task The_demo_tenant_is_there_and_can_be_asked_for()
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        JsonElement routes;
        do
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the routes of the demo tenant to be read.");
            routes = await Client.GetFromJsonAsync<JsonElement>("/v1/routes");
        }
        while (routes.GetArrayLength() == 0);

        var number = routes[0].GetProperty("number").GetString()!;
        var dryRun = await Client.GetFromJsonAsync<JsonElement>("/v1/dialplan/resolve?from=%2B905321112233&to=" + Uri.EscapeDataString(number));
        Assert.Equal("demo", dryRun.GetProperty("tenant").GetString());
        Assert.NotEqual(0, dryRun.GetProperty("trace").GetArrayLength());
    }

    [Fact]
    public async Task The_platform_says_that_it_lives_and_is_ready()
    {
        Assert.Equal("live", await Client.GetStringAsync("/health/live"));
        var ready = await Client.GetFromJsonAsync<JsonElement>("/health/ready");
        Assert.Equal(("healthy", "gateway,write,read,sip,media,agent,stt,tts"), (ready.GetProperty("status").GetString(), ready.GetProperty("roles").GetString()));
    }

    private static async Task AssertProblemAsync(HttpResponseMessage response, int status, string? code)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode} {text}");
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            using var problem = JsonDocument.Parse(text);
            var said = problem.RootElement.GetProperty("code").GetString();
            Assert.True(code is null ? said?.Contains('.') == true : said == code, $"{code} was expected: {text}");
            Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
            Assert.DoesNotContain("   at ", text);
        }
    }
}
