using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Media;
using Sentiric.Testing.Loopback;
using Xunit;

namespace Sentiric.Host.Tests.Api;

/// <summary>The session port of the media service over real sockets: HTTP and WebSocket on one side, RTP of a phone on the other.</summary>
public sealed class SpeakingToTheMediaService(AllInOne platform) : IClassFixture<AllInOne>, IAsyncLifetime
{
    private readonly MediaEngine _phones = new();

    private HttpClient Client => platform.App.Client;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _phones.DisposeAsync();

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_phone_hears_what_is_played_and_the_program_hears_the_phone()
    {
        var phone = _phones.Open().Session!;
        var opened = await PostAsync("/v1/media/sessions", new { sdp_offer = phone.Offer() }, HttpStatusCode.Created);
        var session = opened.GetProperty("session_id").GetString();
        Assert.True(opened.GetProperty("answered").GetBoolean());
        Assert.Null(phone.AcceptAnswer(opened.GetProperty("sdp").GetString()!).Refusal);

        short[] spoken = Tone.Sweep(300, 1_200, TimeSpan.FromSeconds(1), 0.3), played = Tone.Sweep(1_500, 3_000, TimeSpan.FromSeconds(1), 0.3);
        using var ear = phone.Listen();
        var heardByPhone = HeardAsync(ear, played);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("X-Api-Key", AllInOne.AdminKey);
        await socket.ConnectAsync(new Uri(Client.BaseAddress!.ToString().Replace("http", "ws", StringComparison.Ordinal) + $"v1/media/sessions/{session}/audio"), default);
        phone.Play("p", spoken);
        var wav = Path.GetTempFileName();
        WavFile.Write(wav, played);
        var end = await PutAsync($"/v1/media/sessions/{session}/playbacks/greeting?wait=true", await File.ReadAllBytesAsync(wav), "audio/wav");
        Assert.Equal(("greeting", false, 1_000L), (end.GetProperty("playback_id").GetString(), end.GetProperty("interrupted").GetBoolean(), end.GetProperty("heard_ms").GetInt64()));

        var heardByProgram = await ReceiveAsync(socket, 16_000);
        Assert.True(Likeness(spoken, heardByProgram) > 0.9, $"the program hears the phone: {Likeness(spoken, heardByProgram)}");
        await Soon.Within(heardByPhone, "the phone to hear the program");

        var quality = await GetAsync($"/v1/media/sessions/{session}/quality");
        Assert.True(quality.GetProperty("received").GetInt64() > 20);
        await DeleteAsync($"/v1/media/sessions/{session}");
        await RefusedAsync(await Client.GetAsync($"/v1/media/sessions/{session}"), 404, "media.session_unknown");
    }

    [Fact]
    public async Task What_plays_is_cut_off_and_the_program_knows_how_much_was_heard()
    {
        var session = await OpenAsync();
        var long_ = MemoryMarshal.AsBytes(new short[8 * 20_000].AsSpan()).ToArray();
        await RefusedAsync(await Client.PutAsync($"/v1/media/sessions/{session}/playbacks/x?text=bir%20iki&word_ends_ms=5", Body(long_, "audio/L16")), 400, "request.invalid");
        using (var queued = await Client.PutAsync($"/v1/media/sessions/{session}/playbacks/a?text=bir%20iki&word_ends_ms=150,19990", Body(long_, "audio/L16")))
        {
            Assert.Equal(HttpStatusCode.Accepted, queued.StatusCode);
        }

        JsonElement where;
        using var limit = new CancellationTokenSource(Soon.Patience);
        do
        {
            Assert.False(limit.IsCancellationRequested, "Waited for 200 ms to be heard.");
            where = await GetAsync($"/v1/media/sessions/{session}");
        }
        while (where.GetProperty("heard_ms").GetInt64() < 200);

        Assert.Equal("a", where.GetProperty("playback_id").GetString());
        Assert.Equal("{\"words\":1,\"of\":2,\"text\":\"bir\",\"from\":\"word_times\"}", where.GetProperty("heard").GetRawText());
        var ends = JsonDocument.Parse(await (await Client.DeleteAsync($"/v1/media/sessions/{session}/playbacks")).Content.ReadAsStringAsync()).RootElement;
        var end = Assert.Single(ends.EnumerateArray().ToList());
        Assert.True(end.GetProperty("interrupted").GetBoolean());
        Assert.InRange(end.GetProperty("heard_ms").GetInt64(), where.GetProperty("heard_ms").GetInt64(), 19_999);
        Assert.Equal(20_000, end.GetProperty("queued_ms").GetInt64());
        Assert.Equal("bir", end.GetProperty("heard").GetProperty("text").GetString());
        Assert.False((await GetAsync($"/v1/media/sessions/{session}")).TryGetProperty("playback_id", out _));
        await DeleteAsync($"/v1/media/sessions/{session}");
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_recording_runs_pauses_and_ends_with_the_session_s_leave()
    {
        var session = await OpenAsync();
        await RefusedAsync(await Client.PatchAsJsonAsync($"/v1/media/sessions/{session}/recording", new { paused = true }), 409, "media.not_recording");
        var started = await PostAsync($"/v1/media/sessions/{session}/recording", new { from = "+905321119988" }, HttpStatusCode.Created);
        Assert.EndsWith(".wav.sealed", started.GetProperty("uri").GetString());
        using (var paused = await Client.PatchAsJsonAsync($"/v1/media/sessions/{session}/recording", new { paused = true }))
        {
            Assert.Equal(HttpStatusCode.OK, paused.StatusCode);
        }

        Assert.True((await GetAsync($"/v1/media/sessions/{session}")).GetProperty("recording_paused").GetBoolean());
        using var stopped = await Client.DeleteAsync($"/v1/media/sessions/{session}/recording");
        var told = JsonDocument.Parse(await stopped.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(started.GetProperty("uri").GetString(), told.GetProperty("uri").GetString());
        Assert.Equal(64, told.GetProperty("sha256").GetString()!.Length);
        await RefusedAsync(await Client.DeleteAsync($"/v1/media/sessions/{session}/recording"), 409, "media.not_recording");
        await RefusedAsync(await Client.PostAsJsonAsync($"/v1/media/sessions/{session}/recording", new { }), 422, "media.recording_failed");
        await DeleteAsync($"/v1/media/sessions/{session}");
    }

    [Fact]
    public async Task The_session_may_offer_first()
    {
        var offered = await PostAsync("/v1/media/sessions", new { }, HttpStatusCode.Created);
        Assert.False(offered.GetProperty("answered").GetBoolean());
        var phone = _phones.Open().Session!;
        var answer = phone.Answer(offered.GetProperty("sdp").GetString()!);
        var session = offered.GetProperty("session_id").GetString();
        var agreed = await PostAsync($"/v1/media/sessions/{session}/answer", new { sdp = answer.Sdp }, HttpStatusCode.OK);
        Assert.Equal("PCMA", agreed.GetProperty("codec").GetString());
        await DeleteAsync($"/v1/media/sessions/{session}");
    }

    [Fact]
    public async Task Every_refusal_is_a_problem_with_a_code()
    {
        await RefusedAsync(await Client.PostAsJsonAsync("/v1/media/sessions", new { sdp_offer = "no sdp" }), 422, "media.bad_offer");
        await RefusedAsync(await Client.PostAsJsonAsync("/v1/media/sessions", new { sdp_offer = Offer("18") }), 422, "media.no_common_codec");
        foreach (var path in new[] { "", "/quality", "/audio" })
        {
            await RefusedAsync(await Client.GetAsync("/v1/media/sessions/nobody" + path), 404, "media.session_unknown");
        }

        foreach (var path in new[] { "", "/playbacks", "/recording" })
        {
            await RefusedAsync(await Client.DeleteAsync("/v1/media/sessions/nobody" + path), 404, "media.session_unknown");
        }

        await RefusedAsync(await Client.PostAsJsonAsync("/v1/media/sessions/nobody/answer", new { sdp = "v=0" }), 404, "media.session_unknown");
        await RefusedAsync(await Client.PostAsJsonAsync("/v1/media/sessions/nobody/offer", new { sdp = "v=0" }), 404, "media.session_unknown");
        await RefusedAsync(await Client.PostAsJsonAsync("/v1/media/sessions/nobody/recording", new { }), 404, "media.session_unknown");
        await RefusedAsync(await Client.PutAsync("/v1/media/sessions/nobody/playbacks/x", Body([1, 2], "audio/L16")), 404, "media.session_unknown");

        var session = await OpenAsync();
        await RefusedAsync(await Client.PutAsync($"/v1/media/sessions/{session}/playbacks/x", Body([1, 2, 3], "audio/wav")), 422, "media.bad_audio");
        await RefusedAsync(await Client.PutAsync($"/v1/media/sessions/{session}/playbacks/x", Body([1, 2, 3], "text/plain")), 422, "media.bad_audio");
        await RefusedAsync(await Client.PostAsJsonAsync($"/v1/media/sessions/{session}/digits", new { digits = "9x" }), 422, "media.digits_refused");
        await RefusedAsync(await Client.GetAsync($"/v1/media/sessions/{session}/audio"), 426, "media.websocket_needed");
        await RefusedAsync(await Client.PostAsJsonAsync("/v1/media/sessions", new { call_id = Guid.ParseExact(session, "N"), sdp_offer = Offer("8") }), 409, "session.exists");
        // A session of one tenant does not exist for another.
        using var other = new HttpRequestMessage(HttpMethod.Get, $"/v1/media/sessions/{session}") { Headers = { { "X-Tenant", "somebody-else" } } };
        await RefusedAsync(await Client.SendAsync(other), 404, "media.session_unknown");
        await DeleteAsync($"/v1/media/sessions/{session}");
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_supervisor_hears_both_sides_over_a_websocket_and_joins()
    {
        var phone = _phones.Open().Session!;
        var call = Guid.CreateVersion7();
        var opened = await PostAsync("/v1/media/sessions", new { call_id = call, sdp_offer = phone.Offer() }, HttpStatusCode.Created);
        Assert.Null(phone.AcceptAnswer(opened.GetProperty("sdp").GetString()!).Refusal);
        await RefusedAsync(await Client.GetAsync($"/v1/calls/{Guid.NewGuid()}/listen"), 404, "call.unknown");
        await RefusedAsync(await Client.GetAsync($"/v1/calls/{call}/listen"), 426, "media.websocket_needed");
        await RefusedAsync(await Client.GetAsync($"/v1/calls/{call}/listen?mode=shout"), 400, "request.invalid");

        using var socket = await ListenAsync($"v1/calls/{call}/listen");
        short[] spoken = Tone.Sweep(300, 1_200, TimeSpan.FromSeconds(1), 0.3), own = Tone.Sweep(1_500, 3_000, TimeSpan.FromSeconds(1), 0.3);
        phone.Play("p", spoken);
        var (texts, left) = (new List<string>(), new List<short>());
        await socket.SendAsync("{\"mode\":\"whisper\"}"u8.ToArray(), WebSocketMessageType.Text, true, default);
        await socket.SendAsync("{\"mode\":\"join\"}"u8.ToArray(), WebSocketMessageType.Text, true, default);
        await HearAsync(socket, 16_000, left, texts);
        Assert.True(Likeness(spoken, [.. left]) > 0.9, $"the supervisor hears the caller: {Likeness(spoken, [.. left])}");
        Assert.Equal(
            ["{\"mode\":\"listen\",\"bridged\":false}", "{\"mode\":\"listen\",\"bridged\":false,\"refused\":\"call.not_bridged\"}", "{\"mode\":\"join\",\"bridged\":false}"], texts);

        using var ear = phone.Listen();
        var atPhone = HeardAsync(ear, own);
        await socket.SendAsync(MemoryMarshal.AsBytes(own.AsSpan()).ToArray(), WebSocketMessageType.Binary, true, default);
        await Soon.Within(atPhone, "the caller to hear who joined");
        await DeleteAsync($"/v1/media/sessions/{opened.GetProperty("session_id").GetString()}");
        await HearAsync(socket, int.MaxValue, left, texts);
        Assert.Equal("the call is over", socket.CloseStatusDescription);
    }

    private async Task<ClientWebSocket> ListenAsync(string path)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("X-Api-Key", AllInOne.AdminKey);
        await socket.ConnectAsync(new Uri(Client.BaseAddress!.ToString().Replace("http", "ws", StringComparison.Ordinal) + path), default);
        return socket;
    }

    // The left channel, until there are so many samples or the other side closes.
    private static async Task HearAsync(ClientWebSocket socket, int samples, List<short> left, List<string> texts)
    {
        var buffer = new byte[4_096];
        while (left.Count < samples)
        {
            var received = await socket.ReceiveAsync(buffer, default).WaitAsync(Soon.Patience);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            if (received.MessageType == WebSocketMessageType.Text)
            {
                texts.Add(System.Text.Encoding.UTF8.GetString(buffer, 0, received.Count));
                continue;
            }

            Assert.Equal(640, received.Count);
            var both = MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, received.Count)).ToArray();
            left.AddRange(both.Where((_, i) => i % 2 == 0));
        }
    }

    private async Task<string> OpenAsync() =>
        (await PostAsync("/v1/media/sessions", new { sdp_offer = Offer("8 101") }, HttpStatusCode.Created)).GetProperty("session_id").GetString()!;

    private static string Offer(string formats) =>
        $"v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\n";

    private async Task<JsonElement> PostAsync(string path, object body, HttpStatusCode expected)
    {
        using var answer = await Client.PostAsJsonAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<JsonElement> PutAsync(string path, byte[] body, string type)
    {
        using var answer = await Client.PutAsync(path, Body(body, type));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await Client.GetStringAsync(path)).RootElement;

    private async Task DeleteAsync(string path)
    {
        using var answer = await Client.DeleteAsync(path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task RefusedAsync(HttpResponseMessage answer, int status, string code)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
            Assert.Equal(Problems.ContentType, answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal(code, JsonDocument.Parse(text).RootElement.GetProperty("code").GetString());
        }
    }

    private static ByteArrayContent Body(byte[] bytes, string type) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    /// <summary>Listens until the sound was there: when it begins is the machine's affair.</summary>
    private static async Task HeardAsync(MediaListener ear, short[] sound)
    {
        const int framesBetween = 25, lately = 3 * 8_000;
        var heard = new List<short>();
        for (var frames = 1; frames % framesBetween != 0 || Likeness(sound, [.. heard.TakeLast(lately)]) <= 0.9; frames++)
        {
            heard.AddRange((await ear.Frames.ReadAsync()).Pcm.Span);
        }
    }

    private static async Task<short[]> ReceiveAsync(ClientWebSocket socket, int samples)
    {
        var (heard, buffer) = (new List<short>(), new byte[4_096]);
        while (heard.Count < samples)
        {
            var received = await socket.ReceiveAsync(buffer, default).WaitAsync(Soon.Patience);
            Assert.Equal((WebSocketMessageType.Binary, 320, true), (received.MessageType, received.Count, received.EndOfMessage));
            heard.AddRange(MemoryMarshal.Cast<byte, short>(buffer.AsSpan(0, received.Count)));
        }

        return [.. heard];
    }

    // The best correlation of a quarter of a second of the source anywhere in what was heard: a busy machine stretches time between two pieces.
    private static double Likeness(short[] source, short[] heard) => source.Chunk(2_000).Max(piece => LikenessOf(piece, heard));

    private static double LikenessOf(ReadOnlySpan<short> piece, short[] heard)
    {
        double own = 0, best = 0;
        foreach (var s in piece) own += (double)s * s;
        for (var at = 0; at + piece.Length <= heard.Length; at++)
        {
            double product = 0, energy = 1;
            for (var i = 0; i < piece.Length; i++)
            {
                product += (double)piece[i] * heard[at + i];
                energy += (double)heard[at + i] * heard[at + i];
            }

            best = Math.Max(best, product / Math.Sqrt(own * energy));
        }

        return best;
    }
}
