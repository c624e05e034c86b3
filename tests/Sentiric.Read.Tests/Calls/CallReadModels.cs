using System.Net;
using System.Text.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Read.Calls;
using Sentiric.Read.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Read.Tests.Calls;

public sealed class CallReadModels : IAsyncLifetime
{
    private static readonly JsonSerializerOptions Readable = new(Wire.Json) { WriteIndented = true };
    private readonly ReadWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task The_CDR_of_the_demo_call()
    {
        await WholeDemoCallAsync();
        var detail = await _world.GetAsync<CallDetail>(DemoCall.Tenant, $"/calls/{DemoCall.Id}");
        Golden.Check(JsonSerializer.Serialize(detail, Readable), "tests", "Sentiric.Read.Tests", "approved", "demo-call.json");
    }

    [Fact]
    public async Task The_history_of_the_demo_call_is_every_event_in_order()
    {
        await WholeDemoCallAsync();
        var history = await _world.GetAsync<HistoryEntry[]>(DemoCall.Tenant, $"/calls/{DemoCall.Id}/events");
        Assert.Equal(
            DemoCall.Running().Concat(DemoCall.Ending()).Select(e => EventCatalog.Of(e.GetType()).RoutingKey), history.Select(e => e.Type));
        Assert.Equal(Enumerable.Range(1, history.Length).Select(n => (long)n), history.Select(e => e.Version));
        Assert.All(history, e => Assert.Equal("test", e.Actor));
    }

    [Fact]
    public async Task A_call_is_on_the_live_board_until_it_ends()
    {
        await _world.TellAsync(DemoCall.Tenant, Streams.Call(DemoCall.Id), DemoCall.Running());
        var live = Assert.Single(await _world.GetAsync<LiveCall[]>(DemoCall.Tenant, "/calls/live"));
        Assert.Equal(
            (DemoCall.Id, "talking", "Ayşe Yılmaz", 1, "yarın saat on dörtte randevu istiyorum", "Randevunuz yarın"),
            (live.CallId, live.State, live.UserName, live.Turns, live.LastHeard, live.LastSaid));

        await _world.TellAsync(DemoCall.Tenant, Streams.Call(DemoCall.Id), DemoCall.Ending());
        Assert.Empty(await _world.GetAsync<LiveCall[]>(DemoCall.Tenant, "/calls/live"));
    }

    [Fact]
    public async Task An_outgoing_call_is_on_the_board_from_the_wish_on_and_its_record_tells_the_trunk_and_the_transfer()
    {
        var id = Guid.CreateVersion7(DemoCall.Begin);
        var plan = new DialplanResolution(DemoCall.Tenant, "welcome", 1, DialplanAction.EchoTest, new(), null, null, "tr", "normal", [], null, null);
        await TellAsync(id, new CallRequested(DemoCall.Begin, "+902121234567", "+905321112233", false, 30, plan));
        Assert.Equal("requested", Assert.Single(await _world.GetAsync<LiveCall[]>(DemoCall.Tenant, "/calls/live")).State);
        await TellAsync(id, new CallDialled(DemoCall.Begin, "abc@us", "carrier"));
        Assert.Equal("dialled", Assert.Single(await _world.GetAsync<LiveCall[]>(DemoCall.Tenant, "/calls/live")).State);
        await TellAsync(
            id, new CallAnswered(DemoCall.Begin, 900), new TransferRequested(DemoCall.Begin, "+902129998877"),
            new TransferCompleted(DemoCall.Begin, "+902129998877", TransferWay.Bridge, "carrier", 200));
        Assert.Equal("transferred", Assert.Single(await _world.GetAsync<LiveCall[]>(DemoCall.Tenant, "/calls/live")).State);
        await TellAsync(id, new CallEnded(DemoCall.Begin, CallEndReason.Normal, HungUpBy.Callee, 200, 16, true, 900, 5_000, 5_000));
        var record = (await _world.GetAsync<CallDetail>(DemoCall.Tenant, $"/calls/{id}")).Record;
        Assert.Equal(
            (CallDirection.Outbound, "+902121234567", "+905321112233", "welcome", "abc@us", "carrier", "+902129998877", "bridge"),
            (record.Direction, record.From, record.To, record.DialplanId, record.SipCallId, record.Trunk, record.TransferredTo, record.Transfer));

        var times = new TalkTimes(new Tables(_world.Source));
        Assert.Equal([new TrunkTalkTime("carrier", 5_000)], await times.BetweenAsync(DemoCall.Begin, DemoCall.Begin.AddMinutes(1), CancellationToken.None));
        Assert.Empty(await times.BetweenAsync(DemoCall.Begin.AddMinutes(-1), DemoCall.Begin, CancellationToken.None));

        var refused = Guid.CreateVersion7(DemoCall.Begin);
        await TellAsync(
            refused, new CallRequested(DemoCall.Begin, "+902121234567", "+15550001122", false, 30, plan), new CallTollRefused(DemoCall.Begin, TollRule.Prefix),
            new CallEnded(DemoCall.Begin, CallEndReason.Policy, HungUpBy.System, 403, 21, false, 0, 0, 0));
        record = (await _world.GetAsync<CallDetail>(DemoCall.Tenant, $"/calls/{refused}")).Record;
        Assert.Equal((TollRule.Prefix, "", null), (record.TollRule, record.SipCallId, record.Trunk));
    }

    private Task TellAsync(Guid call, params object[] facts) => _world.TellAsync(DemoCall.Tenant, Streams.Call(call), facts);

    [Fact]
    public async Task The_transcript_says_what_was_heard_and_what_was_meant()
    {
        await WholeDemoCallAsync();
        var lines = await _world.GetAsync<TranscriptLine[]>(DemoCall.Tenant, $"/calls/{DemoCall.Id}/transcript");
        Assert.Equal([Speaker.Agent, Speaker.Caller, Speaker.Agent], lines.Select(l => l.Speaker));
        Assert.Equal(("Randevunuz yarın", "Randevunuz yarın 14.00 için alındı."), (lines[2].Text, lines[2].FullText));
    }

    [Fact]
    public async Task A_chat_has_a_transcript_and_a_history_too()
    {
        var chat = Guid.CreateVersion7(DemoCall.Begin);
        await _world.TellAsync(
            DemoCall.Tenant, Streams.Chat(chat),
            new ChatStarted(DemoCall.Begin, "demo-agent", new("Demo", "tr", "Merhaba", "", [], true, []), "tr", null),
            new TranscriptFinal(DemoCall.Begin, 1, Speaker.Caller, "merhaba", 1, 0, 0, null, null));
        Assert.Equal("merhaba", Assert.Single(await _world.GetAsync<TranscriptLine[]>(DemoCall.Tenant, $"/calls/{chat}/transcript")).Text);
        Assert.Equal(2, (await _world.GetAsync<HistoryEntry[]>(DemoCall.Tenant, $"/calls/{chat}/events")).Length);
    }

    [Fact]
    public async Task D37_an_unanswered_call_is_not_billed_and_ringing_is_not_talk_time()
    {
        var id = await GiveUpAsync(DemoCall.Tenant, DemoCall.Begin);
        var record = (await _world.GetAsync<CallDetail>(DemoCall.Tenant, $"/calls/{id}")).Record;
        Assert.Equal(
            (false, 0L, 0L, 20_000L, CallEndReason.Cancelled, 487), (record.Answered, record.TalkMs, record.BillableMs, record.RingMs, record.EndReason, record.SipCode));
        Assert.Null(record.AnsweredAt);
    }

    [Fact]
    public async Task D33_the_same_phone_number_in_two_tenants_makes_two_histories()
    {
        var mine = await GiveUpAsync("demo", DemoCall.Begin);
        var theirs = await GiveUpAsync("other", DemoCall.Begin);
        foreach (var (tenant, id) in new[] { ("demo", mine), ("other", theirs) })
        {
            var page = await _world.GetAsync<Page<CallRecord>>(tenant, "/calls?from=" + Uri.EscapeDataString(DemoCall.From));
            Assert.Equal(id, Assert.Single(page.Items).CallId);
        }
    }

    [Fact]
    public async Task D41_another_tenant_sees_nothing_of_a_call()
    {
        await WholeDemoCallAsync();
        await _world.TellAsync("other", Streams.Tenant("other"), new TenantCreated(DemoCall.Begin, "other", "Other", "tr", GuestPolicy.CreateGuest));
        var call = $"/calls/{DemoCall.Id}";
        Assert.Empty((await _world.GetAsync<Page<CallRecord>>("other", "/calls")).Items);
        Assert.Empty(await _world.GetAsync<TranscriptLine[]>("other", call + "/transcript"));
        Assert.Equal("call.unknown", await _world.RefusedAsync("other", call));
        Assert.Equal("call.unknown", await _world.RefusedAsync("other", call + "/events"));
        Assert.Equal("recording.unknown", await _world.RefusedAsync("other", call + "/recording"));
    }

    [Fact]
    public async Task D41_a_request_without_a_tenant_sees_nothing()
    {
        await WholeDemoCallAsync();
        foreach (var path in new[] { "/calls", "/calls/live", $"/calls/{DemoCall.Id}", $"/calls/{DemoCall.Id}/events", "/users", "/routes", "/knowledge/articles", "/events/stream" })
        {
            Assert.Equal("auth.missing_tenant", await _world.RefusedAsync("", path, HttpStatusCode.Unauthorized));
        }
    }

    [Fact]
    public async Task An_unknown_call_is_a_problem_with_its_code() =>
        Assert.Equal("call.unknown", await _world.RefusedAsync("demo", $"/calls/{Guid.NewGuid()}"));

    [Fact]
    public async Task Pages_of_calls_follow_each_other_without_gap_or_repetition()
    {
        var made = new List<Guid>();
        for (var n = 0; n < 7; n++)
        {
            // Two begin at the same moment: the id decides.
            made.Add(await GiveUpAsync("demo", DemoCall.Begin.AddMinutes(n / 2)));
        }

        var seen = new List<CallRecord>();
        string? cursor = null;
        do
        {
            var page = await _world.GetAsync<Page<CallRecord>>("demo", $"/calls?limit=3{(cursor is null ? "" : "&cursor=" + cursor)}");
            Assert.InRange(page.Items.Count, 1, 3);
            seen.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal(made.Order(), seen.Select(c => c.CallId).Order());
        Assert.Equal(seen.OrderByDescending(c => c.StartedAt).Select(c => c.StartedAt), seen.Select(c => c.StartedAt));
    }

    [Theory]
    [InlineData("/calls?from=%2B905321112233", 2)]
    [InlineData("/calls?from=+905321112233", 2)]
    [InlineData("/calls?from=05321112233", 2)]
    [InlineData("/calls?from=1001", 0)]
    [InlineData("/calls?to=0212%20123%2045%2067", 2)]
    [InlineData("/calls?since=2026-11-17T07:31:00Z", 1)]
    [InlineData("/calls?until=2026-11-17T07:31:00Z", 1)]
    [InlineData("/calls?cursor=nonsense", 2)]
    [InlineData("/calls?limit=-5", 1)]
    public async Task Calls_are_found_as_people_ask_for_them(string path, int found)
    {
        await GiveUpAsync("demo", DemoCall.Begin);
        await GiveUpAsync("demo", DemoCall.Begin.AddMinutes(1));
        Assert.Equal(found, (await _world.GetAsync<Page<CallRecord>>("demo", path)).Items.Count);
    }

    [Fact]
    public async Task A_recording_is_served_and_may_be_wound()
    {
        await WholeDemoCallAsync();
        var file = Path.Combine(_world.RecordingFolder, DemoCall.Recording);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, [1, 2, 3, 4, 5]);

        using var response = await _world.AskAsync("demo", $"/calls/{DemoCall.Id}/recording");
        Assert.Equal("audio/wav", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("bytes", Assert.Single(response.Headers.AcceptRanges));
        Assert.Equal([1, 2, 3, 4, 5], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task How_a_call_sounded_over_time_comes_from_its_recording_and_its_measurements()
    {
        var answered = ((CallAnswered)DemoCall.Running().Single(f => f is CallAnswered)).At;
        MediaQualityMeasured Measured(int second, long received, long lost, double jitter, bool summary = false) =>
            new(answered.AddSeconds(second), summary, "PCMA", 7, received, received, lost, 1, 0, jitter, 12, 4.2, 40);
        await _world.TellAsync(
            "demo", Streams.Call(DemoCall.Id),
            [.. DemoCall.Running().Where(f => f is not MediaQualityMeasured), Measured(5, 249, 0, 1.5), Measured(10, 480, 19, 9), Measured(11, 500, 19, 4), .. DemoCall.Ending().Where(f => f is not MediaQualityMeasured), Measured(11, 500, 19, 4, summary: true)]);
        // 100 ms: the caller at half scale in the second half, the agent silent.
        var wav = new byte[44 + (800 * 4)];
        Convert.FromHexString("524946460000000057415645666D74201000000001000200401F0000007D0000040010006461746100000000").CopyTo(wav, 0);
        for (var i = 400; i < 800; i++)
        {
            wav[44 + (4 * i) + 1] = 0x40;
        }

        var file = Path.Combine(_world.RecordingFolder, DemoCall.Recording);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, wav);

        var media = await _world.GetAsync<CallMedia>("demo", $"/calls/{DemoCall.Id}/media");
        Assert.Equal([new(0, 5_000, 249, 1, 1.5, 4.2), new(5_000, 10_000, 231, 19, 9, 4.2), new(10_000, 11_000, 20, 0, 4, 4.2)], media.Quality);
        Assert.Equal(20, media.Waveform?.StepMs);
        Assert.Equal([0, 0, 0.5, 0.5, 0.5], media.Waveform?.Caller ?? []);
        Assert.Equal([0.0, 0, 0, 0, 0], media.Waveform?.Agent ?? []);
        Assert.Equal("call.unknown", await _world.RefusedAsync("other", $"/calls/{DemoCall.Id}/media"));

        await File.WriteAllTextAsync(file, "not a recording");
        Assert.Null((await _world.GetAsync<CallMedia>("demo", $"/calls/{DemoCall.Id}/media")).Waveform);
    }

    [Theory]
    [InlineData("../outside.wav")]
    [InlineData("demo/../../outside.wav")]
    [InlineData("/etc/hostname")]
    [InlineData(".")]
    [InlineData("missing.wav")]
    public async Task A_recording_path_cannot_leave_the_folder(string uri)
    {
        var outside = Path.Combine(Path.GetDirectoryName(_world.RecordingFolder)!, "outside.wav");
        await File.WriteAllTextAsync(outside, "secret");
        await _world.TellAsync("demo", Streams.Call(DemoCall.Id), [.. DemoCall.Running(), new RecordingAvailable(DemoCall.Begin, uri, "wav", 1, 1, "")]);
        Assert.Equal("recording.unknown", await _world.RefusedAsync("demo", $"/calls/{DemoCall.Id}/recording"));
    }

    private async Task WholeDemoCallAsync() =>
        await _world.TellAsync(DemoCall.Tenant, Streams.Call(DemoCall.Id), [.. DemoCall.Running(), .. DemoCall.Ending()]);

    private async Task<Guid> GiveUpAsync(string tenant, DateTimeOffset at)
    {
        var id = Guid.CreateVersion7(at);
        await _world.TellAsync(tenant, Streams.Call(id), DemoCall.GivenUp(at));
        return id;
    }
}
