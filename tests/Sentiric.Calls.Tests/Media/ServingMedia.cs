using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Media;
using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;
using Sentiric.Testing.Loopback;
using MediaClosed = Sentiric.Contracts.Services.MediaClosed;
using MediaOpened = Sentiric.Contracts.Services.MediaOpened;

namespace Sentiric.Calls.Tests.Media;

/// <summary>The media port over the real engine on loopback sockets.</summary>
public sealed class ServingMedia : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-media-").FullName;
    private readonly JournalRecorder _journal = new();
    private readonly OneKey _keys = new();
    private readonly Guid _call = Guid.CreateVersion7();
    private FactWriter _facts = null!;
    private MediaEngine _engine = null!;
    private MediaSessions _media = null!;

    public Task InitializeAsync()
    {
        _facts = new FactWriter(_journal, TimeProvider.System, NullLogger<FactWriter>.Instance);
        Use(new MediaEngineOptions());
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _facts.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task D7_the_answer_is_a_subset_of_the_offer()
    {
        var opened = (await OpenAsync("18 8 0 101")).Value;
        var line = opened.SdpAnswer.Split("\r\n").Single(l => l.StartsWith("m=audio", StringComparison.Ordinal));
        var formats = line.Split(' ')[3..];
        Assert.All(formats, f => Assert.Contains(f, new[] { "8", "0", "101" }));
        Assert.Equal("8", formats[0]);
        Assert.Equal("PCMA", opened.Codec);
        Assert.EndsWith(line.Split(' ')[1], opened.LocalAddress);
        Assert.Equal("127.0.0.1:4000", opened.RemoteAddress);
    }

    [Theory]
    [InlineData("18", "media.no_common_codec")]
    [InlineData(null, "media.bad_offer")]
    public async Task D7_an_offer_that_cannot_be_answered_is_refused_and_its_port_comes_back(string? formats, string code)
    {
        Assert.Equal(code, (await OpenAsync(formats)).Refusal?.Code);
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (_engine.OpenSessions > 0)
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the session of a refused offer to close.");
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_caller_without_an_offer_gets_ours_and_answers_it()
    {
        var offered = (await _media.OfferAsync(new OfferMedia(_call, Neighbours.Tenant), None)).Value;
        Assert.Contains("m=audio", offered.SdpOffer);
        Assert.Equal("media.no_common_codec", (await _media.AcceptAsync(offered.SessionId, Answer("18"), None)).Refusal?.Code);
        Assert.Equal("media.bad_offer", (await _media.AcceptAsync(offered.SessionId, "", None)).Refusal?.Code);
        var opened = (await _media.AcceptAsync(offered.SessionId, Answer("8"), None)).Value;
        Assert.Equal((offered.SessionId, "PCMA", "127.0.0.1:4000"), (opened.SessionId, opened.Codec, opened.RemoteAddress));
        Assert.EndsWith(opened.LocalAddress.Split(':')[1], offered.SdpOffer.Split("\r\n").Single(l => l.StartsWith("m=audio", StringComparison.Ordinal)).Split(' ')[1]);
        Assert.Equal("media.session_unknown", (await _media.OfferAgainAsync("gone", None)).Refusal?.Code);
    }

    [Fact]
    public async Task D9_a_held_call_is_answered_by_the_mirrored_direction_and_each_description_counts_up()
    {
        var opened = (await OpenAsync("8 101")).Value;
        var held = (await _media.RenegotiateAsync(opened.SessionId, Answer("8 101") + "a=sendonly\r\n", None)).Value;
        var inactive = (await _media.RenegotiateAsync(opened.SessionId, Answer("8 101") + "a=inactive\r\n", None)).Value;
        var moved = (await _media.RenegotiateAsync(opened.SessionId, Answer("8 101").Replace("4000", "4010", StringComparison.Ordinal), None)).Value;
        var again = (await _media.OfferAgainAsync(opened.SessionId, None)).Value;
        Assert.Equal((true, true, false), (held.OnHold, inactive.OnHold, moved.OnHold));
        Assert.Contains("a=recvonly", held.SdpAnswer);
        Assert.Contains("a=inactive", inactive.SdpAnswer);
        Assert.Contains("a=sendrecv", moved.SdpAnswer);
        // RFC 3264 8: same session, the version one higher with each.
        var origins = new[] { opened.SdpAnswer, held.SdpAnswer, inactive.SdpAnswer, moved.SdpAnswer, again.SdpOffer }
            .Select(sdp => sdp.Split("\r\n").Single(l => l.StartsWith("o=", StringComparison.Ordinal)).Split(' ')).ToList();
        Assert.Single(origins.Select(o => o[1]).Distinct());
        Assert.Equal([0L, 1, 2, 3, 4], origins.Select(o => long.Parse(o[2]) - long.Parse(origins[0][2])));
    }

    private static string Answer(string formats) =>
        $"v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\n";

    [Fact]
    public async Task D23_when_all_ports_are_taken_the_next_call_is_refused()
    {
        await _engine.DisposeAsync();
        Use(new MediaEngineOptions { Ports = new PortRange(46_210, 46_211) });
        await OpenAsync("8");
        Assert.Equal("media.ports_exhausted", (await OpenAsync("8", Guid.NewGuid())).Refusal?.Code);
    }

    [Fact]
    public async Task A_recording_lies_where_its_address_says_and_has_the_hash_that_was_told()
    {
        var session = (await OpenAsync("8")).Value.SessionId;
        var uri = (await _media.RecordAsync(session, None)).Value.Uri;
        Assert.Matches($@"^demo/\d{{4}}/\d\d/\d\d/{_call:D}\.wav$", uri);
        Assert.Equal(uri, (await _media.RecordAsync(session, None)).Value.Uri);
        var played = (await PlayAsync(session, 400)).Value;
        Assert.Equal(("p", false, 400L), (played.PlaybackId, played.Interrupted, played.HeardMs));

        var closed = (await _media.CloseAsync(session, None)).Value;
        var bytes = await File.ReadAllBytesAsync(Path.Combine(_folder, uri));
        Assert.Equal((uri, Convert.ToHexStringLower(SHA256.HashData(bytes)), (long)bytes.Length), (closed.Recording!.Uri, closed.Recording.Sha256, closed.Recording.Bytes));
        Assert.True(closed.Recording.DurationMs >= 400);
        Assert.True(closed.Quality is { Summary: true, Codec: "PCMA", Sent: >= 20 });
    }

    [Fact]
    public async Task Where_there_are_keys_a_recording_is_sealed_for_the_caller_and_opens_with_the_key_alone()
    {
        _keys.Key = RandomNumberGenerator.GetBytes(32);
        var session = (await OpenAsync("8")).Value.SessionId;
        var uri = (await _media.RecordAsync(session, new RecordedPerson("+905321112233", null), None)).Value.Uri;
        Assert.Matches($@"^demo/\d{{4}}/\d\d/\d\d/{_call:D}\.wav\.sealed$", uri);
        Assert.Equal(new RecordingKeyWish("demo", _call, uri, new RecordedPerson("+905321112233", null)), _keys.Wished);
        await PlayAsync(session, 400);
        var told = (await _media.CloseAsync(session, None)).Value.Recording!;

        using var opened = SealedRecording.Open(File.OpenRead(Path.Combine(_folder, uri)), _keys.Key);
        Assert.Equal((uri, "wav", Convert.ToHexStringLower(SHA256.HashData(opened.Content)), opened.Content.Length), (told.Uri, told.Format, told.Sha256, told.Bytes));
        var segment = (RecordingSegmentStored)(await _journal.UntilAsync<RecordingSegmentStored>()).First(f => f is RecordingSegmentStored);
        var stored = await File.ReadAllBytesAsync(Path.Combine(_folder, uri));
        Assert.Equal((0L, (long)stored.Length, Convert.ToHexStringLower(SHA256.HashData(stored))), (segment.Offset, segment.Bytes, segment.Sha256));
    }

    [Fact]
    public async Task What_should_be_sealed_is_never_recorded_in_the_clear()
    {
        _keys.Broken = new InvalidOperationException("the role with the keys is away");
        var session = (await OpenAsync("8")).Value.SessionId;
        Assert.Equal("media.recording_failed", (await _media.RecordAsync(session, None)).Refusal?.Code);
        Assert.Null((await _media.CloseAsync(session, None)).Value.Recording);
        Assert.Empty(Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task D21_a_recording_that_a_crash_left_is_made_whole_and_its_call_is_told()
    {
        var shelf = new RecordingShelf(new RecordingPlace(_folder), _keys, _facts, TimeProvider.System, NullLogger<RecordingShelf>.Instance);
        _keys.Key = RandomNumberGenerator.GetBytes(32);
        var uri = $"demo/2026/11/23/{_call:D}.wav.sealed";
        await LeaveHalfAsync(uri, new RecordingSeal(_keys.Key, "envelope of " + uri));
        await LeaveHalfAsync("demo/2026/11/23/not-one-of-ours.wav", null);
        Assert.Equal(1, await shelf.RepairAsync(None));
        Assert.Equal(0, await shelf.RepairAsync(None));
        var told = (RecordingAvailable)(await _journal.UntilAsync<RecordingAvailable>()).Single(f => f is RecordingAvailable);
        using var opened = SealedRecording.Open(File.OpenRead(Path.Combine(_folder, uri)), _keys.Key);
        Assert.Equal((uri, true, Convert.ToHexStringLower(SHA256.HashData(opened.Content))), (told.Uri, opened.Info.IsComplete, told.Sha256));
        Assert.Equal((opened.Content.Length - WavHeader.Size) / 32, told.DurationMs);
        Assert.True(told.DurationMs >= 500, $"{told.DurationMs} ms");
        Assert.Equal(("demo", Streams.Call(_call)), _journal.All.Where(n => n.Fact is RecordingAvailable).Select(n => (n.Tenant, n.Stream)).Single());
    }

    // The file as it lies there while it is written is what a killed process leaves.
    private async Task LeaveHalfAsync(string uri, RecordingSeal? seal)
    {
        var (running, path) = (Path.Combine(_folder, "running"), Path.Combine(_folder, uri));
        var session = _engine.Open().Session!;
        session.Answer(Sdp("8"));
        using var ear = session.Listen();
        session.StartRecording(running, RecordingFormat.Wav, seal);
        for (var heard = 0; heard < 50; heard++)
        {
            await ear.Frames.ReadAsync().AsTask().WaitAsync(Soon.Patience);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Copy(running, path);
        await session.CloseAsync();
        File.Delete(running);
    }

    [Fact]
    public async Task Closing_twice_is_quiet_and_frees_everything()
    {
        var session = (await OpenAsync("8")).Value.SessionId;
        Assert.NotNull((await _media.CloseAsync(session, None)).Value.Quality);
        Assert.Equal(new MediaClosed(null, null), (await _media.CloseAsync(session, None)).Value);
        Assert.Equal(0, _engine.OpenSessions);
    }

    [Fact]
    public async Task Clear_interrupts_what_is_playing_and_the_playback_says_what_was_heard()
    {
        var session = (await OpenAsync("8")).Value.SessionId;
        var playing = PlayAsync(session, 30_000).AsTask();
        await foreach (var frame in _media.ListenAsync(session, None))
        {
            if (frame.ElapsedMs >= 200)
            {
                break;
            }
        }

        Assert.True((await _media.ClearAsync(session, None)).Ok);
        var outcome = (await Soon.Within(playing, "the playback to be interrupted")).Value;
        Assert.True(outcome.Interrupted);
        Assert.InRange(outcome.HeardMs, 20, 20_000);
    }

    [Fact]
    public async Task Listening_ends_when_the_session_closes()
    {
        var session = (await OpenAsync("8")).Value.SessionId;
        var heard = CountAsync(session);
        await _media.CloseAsync(session, None);
        await Soon.Within(heard, "the listener to hear the end");
        Assert.Equal(0, await CountAsync(session));
    }

    [Fact]
    public async Task An_unknown_session_is_refused_by_name()
    {
        Assert.Equal("media.session_unknown", (await PlayAsync("nobody", 20)).Refusal?.Code);
        Assert.Equal("media.session_unknown", (await _media.ClearAsync("nobody", None)).Refusal?.Code);
        Assert.Equal("media.session_unknown", (await _media.EchoAsync("nobody", true, None)).Refusal?.Code);
        Assert.Equal("media.session_unknown", (await _media.RecordAsync("nobody", None)).Refusal?.Code);
        Assert.Equal("media.session_unknown", (await _media.RenegotiateAsync("nobody", Sdp("8"), None)).Refusal?.Code);
    }

    [Fact]
    public async Task D9_a_peer_that_holds_is_told_apart_from_one_that_talks()
    {
        var session = (await OpenAsync("8")).Value.SessionId;
        Assert.True((await _media.RenegotiateAsync(session, Sdp("8") + "a=sendonly\r\n", None)).Value.OnHold);
        Assert.False((await _media.RenegotiateAsync(session, Sdp("8") + "a=sendrecv\r\n", None)).Value.OnHold);
    }

    [Fact]
    public async Task D19_no_RTP_is_a_fact_of_the_call()
    {
        await _engine.DisposeAsync();
        Use(new MediaEngineOptions { Leg = new MediaLegOptions { NoRtpAfter = TimeSpan.FromMilliseconds(200) } });
        await OpenAsync("8");
        await _journal.UntilAsync<MediaTimedOut>();
        var noted = _journal.All.First(n => n.Fact is MediaTimedOut);
        Assert.Equal(("demo", Streams.Call(_call), "media"), (noted.Tenant, noted.Stream, noted.Actor));
    }

    private void Use(MediaEngineOptions options)
    {
        _engine = new MediaEngine(options);
        var shelf = new RecordingShelf(new RecordingPlace(_folder), _keys, _facts, TimeProvider.System, NullLogger<RecordingShelf>.Instance);
        _media = new MediaSessions(_engine, _facts, shelf, TimeProvider.System, NullLogger<MediaSessions>.Instance);
    }

    private ValueTask<Result<MediaOpened>> OpenAsync(string? formats, Guid? call = null) =>
        _media.OpenAsync(new(call ?? _call, "demo", formats is null ? "this is no SDP" : Sdp(formats)), None);

    private ValueTask<Result<PlaybackOutcome>> PlayAsync(string session, int ms) => _media.PlayAsync(session, "p", Silence(ms), None);

    private static async IAsyncEnumerable<ReadOnlyMemory<short>> Silence(int ms)
    {
        await Task.CompletedTask;
        yield return new short[ms * 8];
    }

    private async Task<int> CountAsync(string session)
    {
        var count = 0;
        await foreach (var _ in _media.ListenAsync(session, None))
        {
            count++;
        }

        return count;
    }

    private static string Sdp(string formats) =>
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        + $"m=audio 4000 RTP/AVP {formats}\r\n" + (formats.Contains("101") ? "a=rtpmap:101 telephone-event/8000\r\n" : "");
}
