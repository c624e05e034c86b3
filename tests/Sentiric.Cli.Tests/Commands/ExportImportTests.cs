using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Sentiric.Cli.Tests.Commands;

public sealed class ExportImportTests : IAsyncLifetime
{
    private const string Header = "{\"format\":\"eventstore-export\",\"version\":1}\n";
    private readonly string folder = Directory.CreateTempSubdirectory("cli-export-").FullName;
    private FakePlatform platform = null!;

    public async Task InitializeAsync() => platform = await FakePlatform.StartAsync();

    public async Task DisposeAsync()
    {
        await platform.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("whole.ndjson")]
    [InlineData("whole.ndjson.gz")]
    public async Task An_export_is_written_whole_and_passes_the_check_of_an_import(string name)
    {
        var whole = File(Header, Event("a", 1), Event("a", 2));
        platform.Answers("GET /v1/events/export?tenant=%2A", whole, type: "application/x-ndjson");
        var (code, text, error) = await platform.RunAsync("", "events", "export", PathOf(name), "--all");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("2 events", text, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(PathOf(name + ".part")));
        if (!name.EndsWith(".gz", StringComparison.Ordinal)) Assert.Equal(whole, await System.IO.File.ReadAllTextAsync(PathOf(name)));
        var check = await platform.RunAsync("", "events", "import", PathOf(name), "--check");
        Assert.Equal((0, ""), (check.Code, check.Error));
        Assert.Contains("2 events, whole and unchanged", check.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_cut_off_goes_on_and_ends_as_the_file_that_was_never_cut()
    {
        var whole = File(Header, Event("a", 1), Event("a", 2), Event("b", 1));
        platform.Answers("GET /v1/events/export?tenant=%2A", Header + Event("a", 1) + Event("a", 2)[..20], type: "application/x-ndjson");
        var cut = await platform.RunAsync("", "events", "export", PathOf("x"), "--all");
        Assert.Equal(1, cut.Code);
        Assert.StartsWith("export.cut_off", cut.Error, StringComparison.Ordinal);
        Assert.Contains("1 events are in", cut.Error, StringComparison.Ordinal);
        Assert.StartsWith("export.begun", (await platform.RunAsync("", "events", "export", PathOf("x"), "--all")).Error, StringComparison.Ordinal);

        platform.Answers("GET /v1/events/export?tenant=%2A&behind_tenant=t&behind_stream=a&behind_version=1", File("", Event("a", 2), Event("b", 1)), type: "application/x-ndjson");
        var (code, _, error) = await platform.RunAsync("", "events", "export", PathOf("x"), "--continue");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(whole, await System.IO.File.ReadAllTextAsync(PathOf("x")));
    }

    [Fact]
    public async Task What_arrives_changed_is_refused()
    {
        platform.Answers("GET /v1/events/export", File(Header, Event("a", 1)).Replace("\"a\"", "\"b\"", StringComparison.Ordinal), type: "application/x-ndjson");
        var (code, _, error) = await platform.RunAsync("", "events", "export", PathOf("x"));
        Assert.Equal(1, code);
        Assert.StartsWith("export.damaged", error, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(PathOf("x")));
    }

    [Fact]
    public async Task A_file_that_is_not_whole_is_never_sent()
    {
        var whole = File(Header, Event("a", 1), Event("a", 2));
        foreach (var (text, expected) in new[]
                 {
                     ("", "import.not_an_export"), ("a,b\n1,2\n", "import.not_an_export"), (Header + Event("a", 1), "import.incomplete"), (whole[..^5], "import.incomplete"),
                     (whole.Replace("\"version\":2", "\"version\":3", StringComparison.Ordinal), "import.damaged"), (whole.Replace(Event("a", 1), "", StringComparison.Ordinal), "import.damaged"),
                 })
        {
            await System.IO.File.WriteAllTextAsync(PathOf("bad"), text);
            var (code, _, error) = await platform.RunAsync("", "events", "import", PathOf("bad"));
            Assert.Equal(1, code);
            Assert.StartsWith(expected, error, StringComparison.Ordinal);
        }

        Assert.Empty(platform.Asked);
    }

    [Fact]
    public async Task An_import_sends_the_file_and_says_what_was_stored()
    {
        var whole = File(Header, Event("a", 1));
        await System.IO.File.WriteAllTextAsync(PathOf("good"), whole);
        platform.Answers("POST /v1/events/import", """{"read":1,"stored":1,"already_stored":0,"archived_streams":0}""");
        var (code, text, error) = await platform.RunAsync("", "events", "import", PathOf("good"));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("1 stored, 0 were there already", text, StringComparison.Ordinal);
        Assert.Equal("POST /v1/events/import " + whole.TrimEnd(), Assert.Single(platform.Asked));
        Assert.Equal((0, """{"read":1,"stored":1,"already_stored":0,"archived_streams":0}""" + "\n", ""), await platform.RunAsync("", "events", "import", PathOf("good"), "--json"));
    }

    private string PathOf(string name) => Path.Combine(folder, name);

    private static string Event(string stream, int version) => $"{{\"tenant\":\"t\",\"stream\":\"{stream}\",\"version\":{version},\"data\":{{}}}}\n";

    private static string File(string header, params string[] events)
    {
        var text = header + string.Concat(events);
        return text + $"{{\"events\":{events.Length},\"sha256\":\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}\"}}\n";
    }
}
