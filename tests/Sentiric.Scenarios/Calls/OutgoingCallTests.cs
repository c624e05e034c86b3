using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Scenarios.Peers;
using Sentiric.Testing;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Calls;

/// <summary>A platform with two trunks. Numbers in Germany go to sipp as the carrier, numbers in Turkey to a telephone of ours: the toll rules of the trunks say so.</summary>
public sealed class TrunkStage : IAsyncLifetime
{
    /// <summary>The melody of those who wait.</summary>
    public const int Music = 53;

    private readonly string music = Directory.CreateTempSubdirectory("sentiric-music-").FullName;
    private LoopbackPhone? office;
    private RunningPlatform? platform;

    public int SippPort { get; } = FreePorts.Next();

    internal LoopbackPhone Office => office ?? throw new InvalidOperationException("There is no stage without the speech engines.");

    internal RunningPlatform Platform => platform ?? throw new InvalidOperationException("There is no stage without the speech engines.");

    public async Task InitializeAsync()
    {
        if (SpeechFiles.Missing is not null)
        {
            return;
        }

        office = await LoopbackPhone.StartAsync();
        platform = await RunningPlatform.StartAsync(new PlatformOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Media__HoldMusic"] = MusicFile(),
                ["Sip__KeepMessages"] = "true", ["Sip__Toll__Allow"] = "90,49",
                ["Sip__Trunks__0__Name"] = "sipp", ["Sip__Trunks__0__Target"] = string.Create(CultureInfo.InvariantCulture, $"sip:127.0.0.1:{SippPort};transport=udp"),
                ["Sip__Trunks__0__Toll__Allow"] = "49", ["Sip__Trunks__0__Codecs"] = "PCMA",
                ["Sip__Trunks__1__Name"] = "office", ["Sip__Trunks__1__Target"] = $"sip:{office.AddressOf("x").ToString()["sip:x@".Length..]};transport=udp",
                ["Sip__Trunks__1__Toll__Allow"] = "90",
            },
        });
    }

    private string MusicFile()
    {
        var file = Path.Combine(music, "default.wav");
        WavFile.Write(file, Melody.Repeated(Music, TimeSpan.FromSeconds(10)));
        return music;
    }

    public async Task DisposeAsync()
    {
        Directory.Delete(music, recursive: true);
        if (platform is not null && office is not null)
        {
            await platform.DisposeAsync();
            await office.DisposeAsync();
        }
    }
}

/// <summary>Calls that the platform places, and transfers.</summary>
[Trait("Category", "Slow")]
public sealed class OutgoingCallTests(TrunkStage stage) : IClassFixture<TrunkStage>
{
    private const int Callers = 51, Offices = 52;
    private const string AtSipp = "+4930123456", AtPhone = "+902129998877", Forbidden = "+15550001122";
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [PlatformFact("sipp", "tshark")]
    public async Task A_carrier_of_sipp_takes_our_call_the_agent_greets_and_everything_is_on_record()
    {
        var sipp = Sipp.RunAsync("carrier-answers", stage.SippPort);
        await Sipp.ListensAsync(stage.SippPort);
        var id = await PlaceAsync(AtSipp, "karsilama");
        Assert.Null(await sipp);
        var story = await EndedAsync(id);
        Assert.Equal(
            ["call.requested", "call.dialled", "call.ringing", "call.media.started", "call.recording.started", "call.answered", "call.started", "agent.took_over", "call.ended"],
            story.Types.Where(type => Story.Contains(type)));
        Assert.Contains(story.All<PlaybackStarted>(), said => said.Kind == UtteranceKind.Greeting);

        var record = (await stage.Platform.Api.DetailAsync(id)).Record;
        Assert.Equal(
            (CallDirection.Outbound, Calling.Assistant, AtSipp, "sipp", CallEndReason.Normal, HungUpBy.Callee, true, "PCMA"),
            (record.Direction, record.From, record.To, record.Trunk, record.EndReason, record.HungUpBy, record.Answered, record.Codec));
        Assert.InRange(record.TalkMs, 3_000, 8_000);
        await AssertCaptureAsync(id, record);
        await AssertMetricsAsync();
        // A platform that is new, whose callee hangs up in the middle of the greeting: nothing of it is an operator's trouble.
        Assert.DoesNotContain(story.Types, type => type == "agent.failed");
        Assert.DoesNotContain(" fail: ", stage.Platform.Log(), StringComparison.Ordinal);
    }

    [PlatformFact("sipp")]
    public async Task A_busy_number_and_one_that_may_not_be_called_end_as_what_they_are()
    {
        var sipp = Sipp.RunAsync("carrier-is-busy", stage.SippPort);
        await Sipp.ListensAsync(stage.SippPort);
        var busy = await PlaceAsync(AtSipp, "yanki");
        Assert.Null(await sipp);
        Assert.Equal((CallEndReason.Busy, 486), EndOf(await EndedAsync(busy)));

        var forbidden = await EndedAsync(await PlaceAsync(Forbidden, "yanki"));
        Assert.Equal((CallEndReason.Policy, 403), EndOf(forbidden));
        Assert.Equal(TollRule.Prefix, forbidden.One<CallTollRefused>().Rule);
        Assert.Empty(forbidden.All<CallDialled>());
        Assert.Contains("sip_toll_refused_total{trunk=\"any trunk\",rule=\"prefix\"} ", await stage.Platform.Api.Http.GetStringAsync("metrics"), StringComparison.Ordinal);
    }

    [PlatformFact]
    public async Task A_caller_is_connected_with_the_office_and_each_hears_the_other()
    {
        var sockets = stage.Platform.UdpSockets();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await stage.Platform.AnsweredAsync(phone, Calling.Assistant);
        var record = await stage.Platform.Api.CallAsync(call.CallId);
        await stage.Platform.Api.StoryWithAsync<AgentTookOver>(record.CallId);
        Assert.Equal(HttpStatusCode.NoContent, (await stage.Platform.Api.Http.PostAsJsonAsync($"v1/calls/{record.CallId}/transfer", new { to = AtPhone })).StatusCode);
        await using var second = await Until.DoneAsync("the office to ring", stage.Office.Incoming.ReadAsync().AsTask(), Calling.Patience);
        Assert.Equal(Calling.Assistant, second.From?.Uri.User);
        Assert.True(await second.AnswerAsync());
        await stage.Platform.Api.StoryWithAsync<TransferCompleted>(record.CallId);
        using var again = await stage.Platform.Api.Http.PostAsJsonAsync($"v1/calls/{record.CallId}/transfer", new { to = AtPhone });
        Assert.Equal((HttpStatusCode.Conflict, "call.transferring"), (again.StatusCode, (await again.Content.ReadFromJsonAsync<ProblemBody>(Wire.Json))?.Code));

        call.Play(Melody.Repeated(Callers, Long));
        second.Play(Melody.Repeated(Offices, Long));
        var likeness = await Task.WhenAll(Melody.HeardAsync(second, Callers), Melody.HeardAsync(call, Offices));
        Assert.All(likeness, one => Assert.True(one > Melody.Likeness, $"heard with {one:F3}"));

        await second.HangUpAsync();
        await Until.DoneAsync("the caller to be hung up", call.Ended, Calling.Patience);
        var ended = await stage.Platform.Api.EndedCallAsync(call.CallId);
        Assert.Equal((AtPhone, "bridge", CallEndReason.Normal, HungUpBy.Callee), (ended.TransferredTo, ended.Transfer, ended.EndReason, ended.HungUpBy));
        await Until.TrueAsync("both sessions to be closed", () => Task.FromResult(stage.Platform.UdpSockets() <= sockets), Calling.Patience);
    }

    [PlatformFact]
    public async Task A_number_whose_plan_connects_rings_at_the_office_and_who_is_not_reached_hears_so()
    {
        const string connected = "1096";
        await Plans.PublishAsync(stage.Platform.Api, connected, "ofis", DialplanAction.BridgeCall, new(Target: AtPhone));
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await stage.Platform.AnsweredAsync(phone, connected);
        await using var office = await Until.DoneAsync("the office to ring", stage.Office.Incoming.ReadAsync().AsTask(), Calling.Patience);
        Assert.True(await office.AnswerAsync());
        var record = await stage.Platform.Api.CallAsync(call.CallId);
        var joined = await stage.Platform.Api.StoryWithAsync<TransferCompleted>(record.CallId);
        Assert.Equal(AtPhone, joined.One<TransferRequested>().To);
        call.Play(Melody.Repeated(Callers, Long));
        office.Play(Melody.Repeated(Offices, Long));
        var likeness = await Task.WhenAll(Melody.HeardAsync(office, Callers), Melody.HeardAsync(call, Offices));
        Assert.All(likeness, one => Assert.True(one > Melody.Likeness, $"heard with {one:F3}"));
        await call.HangUpAsync();
        var ended = await stage.Platform.Api.EndedCallAsync(call.CallId);
        Assert.Equal((AtPhone, "bridge", CallEndReason.Normal, HungUpBy.Caller), (ended.TransferredTo, ended.Transfer, ended.EndReason, ended.HungUpBy));

        await using var again = await stage.Platform.AnsweredAsync(phone, connected);
        await (await Until.DoneAsync("the office to ring again", stage.Office.Incoming.ReadAsync().AsTask(), Calling.Patience)).RejectAsync();
        await Until.DoneAsync("the caller to be hung up", again.Ended, Calling.Patience);
        var alone = await stage.Platform.Api.EndedCallAsync(again.CallId);
        Assert.Equal((AtPhone, "failed", CallEndReason.Busy, HungUpBy.System), (alone.TransferredTo, alone.Transfer, alone.EndReason, alone.HungUpBy));
        var story = await stage.Platform.Api.StoryAsync(alone.CallId);
        Assert.Equal((CallEndReason.Busy, 486), (story.One<TransferFailed>().Reason, story.One<TransferFailed>().SipCode));
        Assert.Contains(story.All<TranscriptFinal>(), line => line.Speaker == Speaker.Agent && line.Text.Contains("aktaramıyoruz", StringComparison.Ordinal));
    }

    /// <summary>The name of a user of the tenant, under which a foreign telephone registers; that one answers by itself.</summary>
    [PlatformFact("linphonec")]
    public async Task A_caller_is_connected_with_a_telephone_that_registered_here()
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-desk-").FullName;
        await using var desk = await LinphonePeer.StartAsync(folder, Melody.Repeated(Offices, Long));
        await RegisterAsync(desk, "resepsiyon", "sesli-harfler-8");
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await stage.Platform.AnsweredAsync(phone, Calling.Assistant);
        var record = await stage.Platform.Api.CallAsync(call.CallId);
        await stage.Platform.Api.StoryWithAsync<AgentTookOver>(record.CallId);
        Assert.Equal(HttpStatusCode.NoContent, (await stage.Platform.Api.Http.PostAsJsonAsync($"v1/calls/{record.CallId}/transfer", new { to = "resepsiyon" })).StatusCode);
        var joined = (await stage.Platform.Api.StoryWithAsync<TransferCompleted>(record.CallId)).One<TransferCompleted>();
        Assert.Equal(("resepsiyon", TransferWay.Bridge, null), (joined.To, joined.Way, joined.Trunk));
        Assert.Contains(record.From.TrimStart('+'), desk.Said, StringComparison.Ordinal);

        call.Play(Melody.Repeated(Callers, Long));
        Assert.True(await Melody.HeardAsync(call, Offices) > Melody.Likeness);
        await Until.TrueAsync("the caller to be heard at the desk", () => Task.FromResult(Melody.In(desk.Heard(), Callers) > Melody.Likeness), Calling.Patience, () => desk.Said);
        await call.HangUpAsync();
        var ended = await stage.Platform.Api.EndedCallAsync(call.CallId);
        Assert.Equal(("resepsiyon", "bridge", HungUpBy.Caller), (ended.TransferredTo, ended.Transfer, ended.HungUpBy));
    }

    private async Task RegisterAsync(LinphonePeer desk, string name, string password)
    {
        var api = stage.Platform.Api.Http;
        var id = Guid.CreateVersion7();
        Assert.Equal(HttpStatusCode.Created, (await api.PostAsJsonAsync("v1/users", new { user_id = id, name = "Resepsiyon", type = "agent" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await api.PutAsJsonAsync($"v1/users/{id}/sip-credentials/sentiric/{name}", new { password })).StatusCode);
        await desk.TypeAsync("autoanswer enable");
        await desk.SaysAsync("Auto answer enabled");
        await desk.TypeAsync($"register sip:{name}@sentiric sip:127.0.0.1:{stage.Platform.SipPort} {password}");
        await Until.TrueAsync("linphone to be registered", async () =>
        {
            await desk.TypeAsync("status register");
            return desk.Said.Contains("registered, identity=", StringComparison.Ordinal);
        }, Calling.Patience, () => desk.Said);
    }

    [PlatformFact]
    public async Task Who_waits_hears_music_while_the_office_rings_and_while_it_holds()
    {
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await stage.Platform.AnsweredAsync(phone, Calling.Assistant);
        var record = await stage.Platform.Api.CallAsync(call.CallId);
        await stage.Platform.Api.StoryWithAsync<AgentTookOver>(record.CallId);
        Assert.Equal(HttpStatusCode.NoContent, (await stage.Platform.Api.Http.PostAsJsonAsync($"v1/calls/{record.CallId}/transfer", new { to = AtPhone })).StatusCode);
        await using var second = await Until.DoneAsync("the office to ring", stage.Office.Incoming.ReadAsync().AsTask(), Calling.Patience);
        await HearsAsync(call, TrunkStage.Music, "the music while the office rings, once the assistant has said its greeting");
        Assert.True(await second.AnswerAsync());
        await stage.Platform.Api.StoryWithAsync<TransferCompleted>(record.CallId);
        second.Play(Melody.Repeated(Offices, Long));
        await HearsAsync(call, Offices, "the office");

        Assert.True((await second.ReinviteAsync(MediaDirection.Inactive))?.IsAccepted);
        var held = await stage.Platform.Api.StoryWithAsync<CallHeld>(record.CallId);
        Assert.Equal(HungUpBy.Callee, held.One<CallHeld>().By);
        await HearsAsync(call, TrunkStage.Music, "the music while the office holds");
        Assert.True((await second.ReinviteAsync(MediaDirection.SendRecv))?.IsAccepted);
        await HearsAsync(call, Offices, "the office, back again");
        await call.HangUpAsync();
        await stage.Platform.Api.EndedCallAsync(call.CallId);
    }

    private static Task HearsAsync(PhoneCall call, int melody, string what) =>
        Until.TrueAsync($"the caller to hear {what}", async () => await Melody.HeardAsync(call, melody) > Melody.Likeness, Calling.Patience);

    private static readonly HashSet<string> Story =
    [
        "call.requested", "call.dialled", "call.ringing", "call.media.started", "call.recording.started", "call.answered", "call.started", "agent.took_over", "call.ended",
    ];

    private async Task<Guid> PlaceAsync(string to, string plan)
    {
        using var response = await stage.Platform.Api.Http.PostAsJsonAsync("v1/calls", new { to, from = Calling.Assistant, dialplan_id = plan, ring_seconds = 20 });
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("call_id").GetGuid();
    }

    private async Task<CallStory> EndedAsync(Guid id)
    {
        var story = await stage.Platform.Api.StoryWithAsync<CallEnded>(id, limit: Calling.Patience);
        // The record follows the log.
        await Until.TrueAsync("the record to be complete", async () => (await stage.Platform.Api.DetailAsync(id)).Record.EndReason is not null, Calling.Patience);
        return story;
    }

    private static (CallEndReason, int) EndOf(CallStory story) => (story.One<CallEnded>().Reason, story.One<CallEnded>().SipCode);

    private async Task AssertCaptureAsync(Guid id, CallRecord record)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, await stage.Platform.Api.Http.GetByteArrayAsync($"v1/calls/{id}/sip.pcap"));
            var shown = await Programs.RunAsync(
                "tshark", ["-r", file, "-d", $"udp.port=={stage.Platform.SipPort},sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "sip.Call-ID"], Long);
            Assert.All((string[])["INVITE", "180", "200", "ACK", "BYE"], what => Assert.Contains(what, shown.Output, StringComparison.Ordinal));
            Assert.Contains(record.SipCallId, shown.Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private async Task AssertMetricsAsync()
    {
        var text = await stage.Platform.Api.Http.GetStringAsync("metrics");
        string[] counted =
        [
            "sip_requests_total{direction=\"sent\",method=\"INVITE\"}", "sip_requests_total{direction=\"received\",method=\"BYE\"}",
            "sip_responses_total{direction=\"received\",status=\"180\"}", "sip_messages_total{direction=\"sent\",transport=\"udp\"}",
            "sip_call_setup_seconds_count{direction=\"outbound\"}", "sip_call_post_dial_delay_seconds_count",
            "sip_trunk_attempts_total{trunk=\"sipp\",outcome=\"answered\"}", "sip_trunk_state{trunk=\"sipp\"}", "sip_trunk_up{trunk=\"sipp\"}",
        ];
        Assert.All(counted, series => Assert.Matches($@"(?m)^{Regex.Escape(series)} [1-9]", text));
        Assert.All(
            (string[])["sip_trunk_calls{trunk=\"sipp\"} 0", "sip_queue_depth{queue=\"stack\"} ", "sip_transactions{side=\"client\"} ", "sip_refused_total{reason=\"malformed\"} "],
            line => Assert.Contains("\n" + line, text, StringComparison.Ordinal));
    }
}
