using System.Net.Sockets;
using System.Net;
using System.Text.Json;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts;
using Xunit;

namespace Sentiric.Cli.Tests.Commands;

public sealed class CommandTests : IAsyncLifetime
{
    private const string Call = "01980000-0000-7000-8000-0000000abcde";
    private FakePlatform platform = null!;

    public async Task InitializeAsync() => platform = await FakePlatform.StartAsync();

    public async Task DisposeAsync() => await platform.DisposeAsync();

    public static TheoryData<string> Names => [.. Cli.Commands.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_command_explains_itself_without_a_platform(string name)
    {
        var (code, text, _) = await platform.RunAsync("", name, "--help");
        Assert.Equal(0, code);
        Assert.StartsWith($"sentiric {name}", text, StringComparison.Ordinal);
        Assert.Empty(platform.Asked);
    }

    [Theory]
    [InlineData("There is no command dance.", "dance")]
    [InlineData("There is no option --nope here.", "status", "--nope")]
    [InlineData("list, show, live, events, ladder, recording, dial, transfer or hangup is missing.", "calls")]
    [InlineData("calls dance: there is no such command.", "calls", "dance")]
    [InlineData("--to is missing.", "dialplan", "resolve")]
    [InlineData("extra is one word too many.", "routes", "list", "extra")]
    public async Task Bad_usage_ends_with_2_and_says_why(string said, params string[] args)
    {
        var (code, _, error) = await platform.RunAsync("", args);
        Assert.Equal(2, code);
        Assert.StartsWith(said, error, StringComparison.Ordinal);
        Assert.Empty(platform.Asked);
    }

    [Fact]
    public async Task A_problem_is_shown_as_its_code_and_what_to_do()
    {
        platform.Answers(
            $"GET /v1/calls/{Call}", """{"type":"x","title":"Not found","status":404,"detail":"There is no call.","code":"call.unknown"}""", 404,
            "application/problem+json; charset=utf-8");
        Assert.Equal((1, "", "call.unknown: There is no call.\n"), await platform.RunAsync("", "calls", "show", Call));
        Assert.Equal("Bearer secret-key", Assert.Single(platform.Keys));
    }

    [Theory]
    [InlineData("no call record yet;", "/v1/calls?limit=20")]
    [InlineData("no call record fits;", "/v1/calls?from=%2B905321112233&limit=20", "--from", "+905321112233")]
    public async Task No_calls_are_told_in_words(string said, string asked, params string[] options)
    {
        platform.Answers("GET " + asked, """{"items":[],"next":null}""");
        var (code, text, _) = await platform.RunAsync("", ["calls", "list", .. options]);
        Assert.Equal(0, code);
        Assert.StartsWith(said, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_no_problem_document_is_told_by_its_status()
    {
        platform.Answers("GET /v1/routes", "<html>", 502, "text/html");
        var (code, _, error) = await platform.RunAsync("", "routes", "list");
        Assert.Equal(1, code);
        Assert.StartsWith("http.502: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trunks_are_shown_with_what_is_known_of_them()
    {
        platform.Answers("GET /v1/trunks", """
            [{"name":"carrier","target":"sip:carrier.example","state":"down","since":"2026-01-02T03:04:05Z","last_options":{"at":"2026-01-02T03:04:06Z","status":503,"reason":"Busy"},
              "registration":{"state":"refused","status":403,"reason":"Forbidden"},"calls":12},
             {"name":"in-only","state":"unknown","calls":0}]
            """);
        var (code, text, error) = await platform.RunAsync("", "trunks");
        Assert.Equal((0, ""), (code, error));
        var lines = text.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        foreach (var told in new[] { "carrier", "sip:carrier.example", "down", "503 Busy at 2026-01-0", "refused (403 Forbidden)" }) Assert.Contains(told, lines[1], StringComparison.Ordinal);
        Assert.EndsWith("  12", lines[1], StringComparison.Ordinal);
        Assert.Equal(["in-only", "-", "unknown", "-", "-", "-", "0"], lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Where_nothing_answers_it_says_how_to_start()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        var (code, _, error) = await platform.RunAsync("", "status", "--url", $"http://127.0.0.1:{port}");
        Assert.Equal(1, code);
        Assert.Contains("./sentiric up", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_settings_it_says_who_sets_them()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(TextReader.Null, output, error, false, false);
        Assert.Equal(1, await Cli.RunAsync(["status"], terminal, _ => null, TimeProvider.System, CancellationToken.None));
        Assert.StartsWith("setting.missing: SENTIRIC_URL", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_shows_what_is_not_well_and_ends_with_1()
    {
        platform
            .Answers("GET /health/ready", """{"status":"unhealthy","roles":"all","checks":[{"name":"postgres","status":"unhealthy","description":"no answer"},{"name":"sip","status":"healthy"}]}""", 503)
            .Answers("GET /v1/projections", """[{"name":"CallRecords","position":90,"high_water":100,"lag":10,"state":"running"}]""");
        var (code, text, _) = await platform.RunAsync("", "status");
        Assert.Equal(1, code);
        Assert.Contains("postgres: unhealthy no answer", text, StringComparison.Ordinal);
        Assert.DoesNotContain("sip:", text, StringComparison.Ordinal);
        Assert.Contains("CallRecords  90        100  10   running  -       0       -", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_dry_run_prints_the_trace()
    {
        platform.Answers(
            "GET /v1/dialplan/resolve?to=%2B902120000001&from=1001",
            """{"tenant":"demo","dialplan_id":"karsilama","revision":2,"action":"START_AI_CONVERSATION","data":{"assistant_id":"a","record":true},"matched_route":"+902120000001","language":"tr","why":"normal","trace":["a route","no schedule"]}""");
        var (code, text, _) = await platform.RunAsync("", "dialplan", "resolve", "--to", "+902120000001", "--from", "1001");
        Assert.Equal(0, code);
        Assert.Equal(
            """
            · a route
            · no schedule

            dialplan   karsilama revision 2
            action     START_AI_CONVERSATION
            why        normal
            route      +902120000001
            language   tr
            assistant  -

            """.ReplaceLineEndings("\n"), text);
    }

    [Fact]
    public async Task A_chat_goes_on_until_the_assistant_ends_it()
    {
        platform
            .Answers("POST /v1/chats", $$"""{"chat_id":"{{Call}}","texts":["Merhaba."],"ended":false}""")
            .Answers($"POST /v1/chats/{Call}/messages", $$"""{"chat_id":"{{Call}}","texts":["İyi günler, hoşça kalın."],"ended":true}""");
        var (code, text, _) = await platform.RunAsync("görüşürüz\nnever sent\n", "chat", "dis-klinigi");
        Assert.Equal((0, "Merhaba.\nİyi günler, hoşça kalın.\n"), (code, text));
        Assert.Equal(
            ["""POST /v1/chats {"assistant_id":"dis-klinigi"}""", $$"""POST /v1/chats/{{Call}}/messages {"text":"görüşürüz"}"""], platform.Asked);
    }

    [Fact]
    public async Task Lines_to_say_are_said_in_order()
    {
        platform
            .Answers("POST /v1/chats", $$"""{"chat_id":"{{Call}}","texts":[],"ended":false}""")
            .Answers($"POST /v1/chats/{Call}/messages", $$"""{"chat_id":"{{Call}}","texts":["Peki."],"ended":false}""");
        var (code, text, _) = await platform.RunAsync("", "chat", "dis-klinigi", "--say", "bir", "--say", "iki");
        Assert.Equal((0, "> bir\nPeki.\n> iki\nPeki.\n"), (code, text));
    }

    [Fact]
    public async Task A_user_is_created_with_the_contacts_that_were_given()
    {
        platform.Answers("POST /v1/users", """{"user_id":"01980000-0000-7000-8000-000000000009"}""", 201);
        var (code, text, _) = await platform.RunAsync("", "users", "create", "--name", "İrem Işık", "--phone", "+905321112244", "--email", "i@example.com");
        Assert.Equal((0, "01980000-0000-7000-8000-000000000009\n"), (code, text));
        Assert.Equal(
            """POST /v1/users {"name":"İrem Işık","type":"caller","language":"tr","contacts":[{"type":"phone","value":"+905321112244","primary":true},{"type":"email","value":"i@example.com","primary":false}]}""",
            Assert.Single(platform.Asked));
    }

    [Fact]
    public async Task Events_are_followed_until_the_platform_goes()
    {
        var entry = "{\"position\":4,\"tenant\":\"demo\",\"stream\":\"call-" + Call + "\",\"version\":2,\"id\":\"" + Call + "\",\"type\":\"call.ringing\",\"stored_type\":\"call_ringing\",\"recorded_at\":\"2026-03-02T09:00:00+00:00\",\"occurred_at\":\"2026-03-02T09:00:00+00:00\",\"data\":{\"at\":\"2026-03-02T09:00:00+00:00\"}}";
        platform.Answers($"GET /v1/events/tail?call_id={Call}", $"event: hello\ndata: {{}}\n\nevent: event\ndata: {entry}\n\n", type: "text/event-stream");
        var (code, text, error) = await platform.RunAsync("", "events", "tail", "--call", Call);
        Assert.Equal("   0.00  ringing\n", text);
        Assert.Equal(1, code);
        Assert.StartsWith("platform.gone", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_model_is_rebuilt_by_name()
    {
        platform.Answers("POST /v1/projections/CallRecords/rebuild", """{"name":"CallRecords","position":7,"high_water":7,"lag":0,"state":"running"}""");
        var (code, text, _) = await platform.RunAsync("", "projections", "rebuild", "CallRecords");
        Assert.Equal(0, code);
        Assert.Contains("CallRecords  7", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("running", "CallRecords: the rebuild is being broken off; the tables stay as they were\n")]
    [InlineData("cancelled", "CallRecords: the rebuild is cancelled; the tables stay as they were\n")]
    public async Task A_rebuild_that_is_broken_off_is_not_called_running(string state, string said)
    {
        platform.Answers("DELETE /v1/projections/CallRecords/rebuild", $$"""{"name":"CallRecords","state":"{{state}}","phase":"filling","position":7,"target":9,"events_per_second":1}""");
        Assert.Equal((0, said, ""), await platform.RunAsync("", "projections", "rebuild", "CallRecords", "--cancel"));
    }

    [Fact]
    public async Task A_recording_is_written_where_it_was_asked_for()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("cli").FullName, "call.wav");
        platform.Answers($"GET /v1/calls/{Call}/recording", "RIFF", type: "audio/wav");
        var (code, _, _) = await platform.RunAsync("", "calls", "recording", Call, "-o", file);
        Assert.Equal(0, code);
        Assert.Equal("RIFF", await File.ReadAllTextAsync(file));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public async Task A_recording_is_checked_segment_by_segment_and_the_damaged_one_is_named()
    {
        var (a, b, path) = (new string('a', 64), new string('b', 64), $"GET /v1/calls/{Call}/recording/segments");
        string Segment(int number, string? found) => JsonSerializer.Serialize(new RecordingSegmentCheck(number, 0, 30_000, 44, 960_000, a, found, found == a), Wire.Json);
        platform.Answers(path, "{\"uri\":\"demo/x.wav\",\"intact\":true,\"segments\":[" + Segment(1, a) + "]}");
        var (code, text, _) = await platform.RunAsync("", "calls", "recording", Call, "--verify");
        Assert.Equal(0, code);
        Assert.Contains("demo/x.wav: all 1 segments are as they were recorded.", text, StringComparison.Ordinal);

        platform.Answers(path, "{\"uri\":\"demo/x.wav\",\"intact\":false,\"segments\":[" + string.Join(',', Segment(1, a), Segment(2, b), Segment(3, null)) + "]}");
        (code, text, _) = await platform.RunAsync("", "calls", "recording", Call, "--verify");
        Assert.Equal(1, code);
        Assert.Contains("demo/x.wav: DAMAGED: segment 2, 3 of 3.", text, StringComparison.Ordinal);
        Assert.Contains("CHANGED: now bbbbbbbbbbbbbbbb", text, StringComparison.Ordinal);
        Assert.Contains("missing: the file ends before", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ladder_is_shown_or_written_as_a_capture()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("cli").FullName, "call.pcap");
        const string entry = """{"position":3,"sequence":1,"id":"01930000-0000-7000-8000-000000000001","type":"TYPE","occurred_at":"2026-03-02T09:00:00+00:00","actor":"sip","data":DATA}""";
        var message = entry.Replace("TYPE", "sip.message.logged", StringComparison.Ordinal).Replace(
            "DATA", """{"at":"2026-03-02T09:00:00+00:00","inbound":true,"transport":"udp","remote":"127.0.0.1:5090","summary":"INVITE sip:1001@x","bytes":620}""", StringComparison.Ordinal);
        var ringing = entry.Replace("TYPE", "call.ringing", StringComparison.Ordinal).Replace("DATA", """{"at":"2026-03-02T09:00:00+00:00"}""", StringComparison.Ordinal);
        platform.Answers($"GET /v1/calls/{Call}/events", $"[{message},{ringing}]").Answers($"GET /v1/calls/{Call}/sip.pcap", "pcap", type: "application/vnd.tcpdump.pcap");
        Assert.Equal((0, "   0.00  sip        phone -> platform  INVITE sip:1001@x\n", ""), await platform.RunAsync("", "calls", "ladder", Call));
        Assert.Equal(0, (await platform.RunAsync("", "calls", "ladder", Call, "--pcap", file)).Code);
        Assert.Equal("pcap", await File.ReadAllTextAsync(file));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public async Task A_demo_without_its_phone_says_what_is_missing()
    {
        platform.Answers($"GET /v1/calls?from=%2B905321112233&limit=60", """{"items":[]}""").Answers("GET /v1/events/stream", "event: hello\ndata: {}\n\n", type: "text/event-stream");
        var (code, _, error) = await platform.RunAsync("", "demo");
        Assert.Equal(1, code);
        Assert.StartsWith("setting.missing: SENTIRIC_PHONE is not set.", error, StringComparison.Ordinal);
    }
}
