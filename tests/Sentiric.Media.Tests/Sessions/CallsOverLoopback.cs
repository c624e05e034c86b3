using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Media.Tests;

/// <summary>Real sockets, threads and time on 127.0.0.1: continuity and content are asserted, not tight timing.</summary>
public sealed class CallsOverLoopback : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("media-loopback").FullName;
    private MediaEngine engine = null!;

    public Task InitializeAsync()
    {
        engine = new MediaEngine();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await engine.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Trait("Category", "Slow")]
    [Fact]
    public async Task A_voice_arrives_as_it_was_sent_and_both_directions_are_recorded()
    {
        var (caller, callee) = Connected();
        var voice = Signals.Voice(TimeSpan.FromSeconds(2));
        var sweep = Tone.Sweep(300, 3_000, TimeSpan.FromSeconds(2));
        using var ear = callee.Listen();
        Assert.True(callee.StartRecording(Path.Combine(folder, "sub", "call.wav")));
        Assert.False(callee.StartRecording(Path.Combine(folder, "again.wav")));

        var spoken = caller.Play("voice", voice);
        var answered = callee.Play("sweep", sweep);
        Assert.Equal(new PlaybackResult("voice", false, 2_000, 2_000), await Waiting.For(spoken.Finished, "the voice to be played"));
        Assert.False((await Waiting.For(answered.Finished, "the sweep to be played")).Interrupted);
        var heard = await Hear(ear, 125);
        var closed = await Waiting.For(callee.CloseAsync(), "the callee to close");

        AssertSame(voice, heard);
        var channels = WavFile.Read(closed.Recording?.Path ?? "").Channels;
        AssertSame(voice, channels[0]);
        AssertSame(sweep, channels[1]);
        Assert.Equal(64, closed.Recording?.Sha256.Length);
        Assert.Equal((0L, 0L, 0L), (closed.Quality.Lost, closed.Quality.Malformed, closed.Quality.Foreign));
        Assert.True(closed.Quality.Mos > 4.2, $"{closed.Quality}");
        Assert.Same(closed, await callee.CloseAsync());
    }

    [Fact]
    public async Task A_voice_arrives_over_SRTP_and_whoever_has_not_the_key_is_not_heard()
    {
        var secure = MediaCapabilities.Default with { Srtp = SrtpPolicy.Required };
        var (caller, callee) = (Open(), Open());
        var answer = callee.Answer(caller.Offer(secure)).Sdp ?? throw new InvalidOperationException("refused");
        Assert.Null(caller.AcceptAnswer(answer, secure).Refusal);
        var voice = Signals.Voice(TimeSpan.FromSeconds(1));
        using var ear = callee.Listen();
        using var stranger = new Phone();
        for (ushort n = 0; n < 10; n++) stranger.SendAudio(callee.LocalEndPoint, n, 100);
        var spoken = caller.Play("voice", voice);
        await Waiting.For(spoken.Finished, "the voice to be played");
        AssertSame(voice, await Hear(ear, 75));
        var quality = callee.Quality();
        Assert.Equal((SrtpSuite.AeadAes128Gcm, 10L, 0L, 0L), (quality.Srtp, quality.Forged, quality.Foreign, quality.Lost));
    }

    [Fact]
    public async Task Pacing_is_continuous_for_whoever_receives()
    {
        const int packets = 100;
        using var phone = new Phone();
        var session = Open();
        Assert.Null(session.Answer(phone.Offer).Refusal);
        var clock = new Stopwatch();
        RtpHeader? last = null;
        for (var i = 0; i < packets; i++)
        {
            var header = phone.ReceiveHeader();
            clock.Start();
            if (last is { } before)
            {
                Assert.Equal((1, 160u), ((ushort)(header.Sequence - before.Sequence), header.Timestamp - before.Timestamp));
            }
            last = header;
        }
        Assert.InRange(clock.ElapsedMilliseconds, 20 * (packets - 1) - 500, 20 * packets + 5_000);
        Assert.Equal(0, (await session.CloseAsync()).Quality.Received);
    }

    [Fact]
    public async Task Clear_interrupts_a_playback_over_the_wire()
    {
        var (caller, _) = Connected();
        var playback = caller.Play("long", Tone.Sine(440, TimeSpan.FromSeconds(30)));
        var reached = new TaskCompletionSource<MediaEvent>();
        using var watch = caller.Watch(e => { if (e is MediaEvent.MarkReached) reached.TrySetResult(e); });
        Assert.True(playback.Mark("half a second", 500));
        Assert.Equal(new MediaEvent.MarkReached("long", "half a second", 500), await Waiting.For(reached.Task, "the mark"));
        Assert.Equal("long", caller.Where().PlaybackId);
        caller.Clear();
        var result = await Waiting.For(playback.Finished, "the interruption");
        Assert.True(result.Interrupted);
        Assert.InRange(result.HeardMs, 500, 25_000);
        Assert.False(playback.Enqueue(new short[160]));
    }

    [Fact]
    public void D15_after_a_clear_not_one_more_packet_of_the_playback_leaves()
    {
        using var phone = new Phone();
        var session = Open();
        Assert.Null(session.Answer(phone.Offer).Refusal);
        var first = phone.ReceiveHeader().Sequence;
        session.Play("long", Tone.Sine(440, TimeSpan.FromSeconds(30)));
        while (!phone.ReceivesSound()) { }
        session.Clear();
        var sent = session.Quality().Sent; // what left before the clear was done may still be on its way
        for (var heardSilence = false; !heardSilence;)
        {
            heardSilence = !phone.ReceivesSound();
            if (!heardSilence) Assert.True((ushort)(phone.LastSequence - first) < sent, $"packet {(ushort)(phone.LastSequence - first)} of {sent} holds sound");
        }
        for (var i = 0; i < 10; i++) Assert.False(phone.ReceivesSound());
    }

    [Fact]
    public async Task Digits_are_heard_over_the_wire()
    {
        var (caller, callee) = Connected();
        var digits = "";
        var all = new TaskCompletionSource<string>();
        using var watch = callee.Watch(e =>
        {
            if (e is MediaEvent.DtmfPressed pressed && (digits += pressed.Digit).Length == 4) all.TrySetResult(digits);
        });
        Assert.True(caller.SendDtmf("42*#"));
        Assert.Equal("42*#", await Waiting.For(all.Task, "four digits"));
    }

    [Fact]
    public async Task A_phone_behind_NAT_is_answered_where_it_sends_from()
    {
        using var phone = new Phone();
        using var nowhere = new Phone();
        var session = Open();
        Assert.Null(session.Answer(nowhere.Offer).Refusal);
        var found = new TaskCompletionSource<UdpAddress>();
        using var watch = session.Watch(e => { if (e is MediaEvent.SourceFound source) found.TrySetResult(source.From); });
        for (ushort n = 0; n < 4; n++) phone.SendAudio(session.LocalEndPoint, n, 100);
        Assert.Equal(phone.Port, (await Waiting.For(found.Task, "the source to be found")).Port);
        Assert.Equal(8, phone.ReceiveHeader().PayloadType);
    }

    [Fact]
    public async Task No_RTP_is_told_over_the_wire()
    {
        var legOptions = new MediaLegOptions { NoRtpAfter = TimeSpan.FromMilliseconds(300) };
        await using var impatient = new MediaEngine(new MediaEngineOptions { Leg = legOptions });
        using var phone = new Phone();
        var session = impatient.Open().Session ?? throw new InvalidOperationException("no ports");
        var told = new TaskCompletionSource<TimeSpan>();
        using var watch = session.Watch(e => { if (e is MediaEvent.NoRtpFor silence) told.TrySetResult(silence.Silence); });
        Assert.Null(session.Answer(phone.Offer).Refusal);
        Assert.True(await Waiting.For(told.Task, "the silence to be noticed") >= TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task D23_port_exhaustion_gives_a_refusal_and_a_returned_port_rests()
    {
        var range = FreePair();
        await using var small = new MediaEngine(new MediaEngineOptions { Ports = range, PortQuarantine = TimeSpan.FromHours(1) });
        var first = small.Open();
        Assert.Equal(range.First, first.Session?.LocalRtpPort);
        Assert.Equal(MediaRefusal.PortsExhausted, small.Open().Refusal?.Code);
        if (first.Session is { } session) await session.CloseAsync();
        Assert.Equal(MediaRefusal.PortsExhausted, small.Open().Refusal?.Code);
    }

    [Fact]
    public async Task D23_a_port_that_another_program_holds_is_passed_over()
    {
        var range = FreePair();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, range.First + 1));
        await using var small = new MediaEngine(new MediaEngineOptions { Ports = range });
        Assert.Equal(MediaRefusal.PortsExhausted, small.Open().Refusal?.Code);
    }

    [Fact]
    public async Task D43_stale_media_never_reaches_a_new_call_on_a_reused_port()
    {
        await using var small = new MediaEngine(new MediaEngineOptions { Ports = FreePair(), PortQuarantine = TimeSpan.Zero });
        using var old = new Phone();
        using var fresh = new Phone();
        var first = small.Open().Session ?? throw new InvalidOperationException("no ports");
        Assert.Null(first.Answer(old.Offer).Refusal);
        using (var ear = first.Listen())
        {
            for (ushort n = 0; n < 8; n++) old.SendAudio(first.LocalEndPoint, n, 20_000);
            await Hear(ear, 12);
        }
        Assert.Equal(8, (await first.CloseAsync()).Quality.Received);

        var second = small.Open().Session ?? throw new InvalidOperationException("no ports");
        Assert.Equal(first.LocalRtpPort, second.LocalRtpPort);
        Assert.Null(second.Answer(fresh.Offer).Refusal);
        using var newEar = second.Listen();
        for (ushort n = 8; n < 40; n++) old.SendAudio(second.LocalEndPoint, n, 20_000);
        Assert.All(await Hear(newEar, 30), s => Assert.Equal(0, s));
        Assert.Equal((0L, 32L), (second.Quality().Received, second.Quality().Foreign));
        fresh.SendAudio(second.LocalEndPoint, 1, 10_000, ssrc: 99);
        await HearLoud(newEar, 5_000);
    }

    [Fact]
    public async Task A_listener_that_throws_or_dawdles_harms_nobody()
    {
        var (_, callee) = Connected();
        using var bad = callee.Listen(_ => throw new InvalidOperationException("a bug in a listener"));
        using var slow = callee.Listen(boundFrames: 5);
        using var good = callee.Listen();
        await Hear(good, 30);
        Assert.True(slow.Dropped >= 20, $"{slow.Dropped}");
        var frame = await Waiting.For(slow.Frames.ReadAsync().AsTask(), "a frame");
        Assert.True(frame.Index >= 20);
        Assert.Equal(frame.Index * 20, frame.ElapsedMs);
    }

    [Fact]
    public async Task A_listener_costs_no_garbage()
    {
        // The best of some pieces, see Garbage: what a collection of another test adds to one is not the listener's. All of
        // them before the first five seconds are over, when the leg tells its quality.
        const int frames = 40, pieces = 5, most = 8 * frames;
        var (_, callee) = Connected();
        var (heard, before, best, done) = (0, 0L, long.MaxValue, new TaskCompletionSource<long>());
        using var ear = callee.Listen(_ =>
        {
            if (++heard % frames != 0) return;
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            if (heard > frames) best = Math.Min(best, bytes - before);
            before = bytes;
            if (best <= most || heard > pieces * frames) done.TrySetResult(best);
        });
        Assert.InRange(await Waiting.For(done.Task, "so many frames"), 0, most);
    }

    [Fact]
    public void An_engine_that_could_only_name_0_0_0_0_does_not_start()
    {
        Assert.Throws<ArgumentException>(() => new MediaEngine(new MediaEngineOptions { LocalAddress = IPAddress.Any }));
    }

    [Fact]
    public async Task After_closing_everything_says_no_and_nothing_is_left()
    {
        var (caller, callee) = Connected();
        using var ear = callee.Listen();
        var playback = callee.Play("never ends");
        await callee.CloseAsync();
        Assert.True((await Waiting.For(playback.Finished, "the playback to be interrupted")).Interrupted);
        Assert.False(callee.Enqueue("never ends", new short[160]));
        Assert.False(callee.SendDtmf("1"));
        Assert.False(callee.StartRecording(Path.Combine(folder, "no.wav")));
        Assert.True((await callee.Play("late").Finished).Interrupted);
        await foreach (var _ in ear.Frames.ReadAllAsync()) { }
        await caller.CloseAsync();
        Assert.Equal(0, engine.OpenSessions);
    }

    [Fact]
    public async Task The_other_side_hears_good_bye_in_RTCP()
    {
        var (caller, callee) = Connected();
        var bye = new TaskCompletionSource<bool>();
        using var watch = callee.Watch(e => { if (e is MediaEvent.RemoteBye) bye.TrySetResult(true); });
        using var ear = callee.Listen();
        await Hear(ear, 10);
        await caller.CloseAsync();
        Assert.True(await Waiting.For(bye.Task, "RTCP BYE"));
    }

    private MediaSession Open() => engine.Open().Session ?? throw new InvalidOperationException("no ports");

    private (MediaSession Caller, MediaSession Callee) Connected()
    {
        var (caller, callee) = (Open(), Open());
        var answer = callee.Answer(caller.Offer());
        Assert.Null(answer.Refusal);
        Assert.Null(caller.AcceptAnswer(answer.Sdp ?? "").Refusal);
        return (caller, callee);
    }

    // Every piece is recognisable; one in four may hold a repair when the machine is busy.
    private static void AssertSame(short[] source, short[] heard)
    {
        var found = Signals.FindPieces(source.AsSpan(0, 8_000), heard);
        Assert.True(found[^1] > 0.97 && found[found.Length / 4] > 0.97, $"pieces found: {string.Join(' ', found)}");
    }

    /// <summary>Frames that were heard before a slow test came to ask may still wait in the listener: they are passed over.</summary>
    private static async Task HearLoud(MediaListener ear, int above)
    {
        const int MostFrames = 250;
        for (var i = 0; i < MostFrames; i++)
        {
            if ((await Hear(ear, 1)).Any(s => s > above)) return;
        }
        Assert.Fail($"Nothing louder than {above} in {MostFrames} frames.");
    }

    private static async Task<short[]> Hear(MediaListener ear, int frames)
    {
        var heard = new List<short>();
        for (var i = 0; i < frames; i++)
        {
            var frame = await Waiting.For(ear.Frames.ReadAsync().AsTask(), $"frame {i} of {frames}");
            heard.AddRange(frame.Pcm.ToArray());
        }
        return [.. heard];
    }

    // Outside of the kernel's ephemeral range, so that no other socket of the test run takes it meanwhile.
    private static PortRange FreePair()
    {
        for (var port = 21_000 + 2 * Random.Shared.Next(2_000); ; port += 2)
        {
            using var one = UdpEndpoint.TryBind(IPAddress.Loopback, port, 1_024, (_, _) => { });
            using var two = UdpEndpoint.TryBind(IPAddress.Loopback, port + 1, 1_024, (_, _) => { });
            if (one is not null && two is not null) return new PortRange(port, port + 1);
        }
    }

    /// <summary>A phone of plain sockets, made of nothing that it tests except the header.</summary>
    private sealed class Phone : IDisposable
    {
        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        private readonly byte[] buffer = new byte[2_048];

        public Phone() => socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        public int Port => ((IPEndPoint?)socket.LocalEndPoint)?.Port ?? 0;
        public string Offer => "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            + $"m=audio {Port} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

        public RtpHeader ReceiveHeader()
        {
            var length = socket.Receive(buffer);
            Assert.True(RtpHeader.TryRead(buffer.AsSpan(0, length), out var header));
            return header;
        }

        public ushort LastSequence { get; private set; }

        /// <summary>Whether the next packet holds anything but silence.</summary>
        public bool ReceivesSound()
        {
            var header = ReceiveHeader();
            LastSequence = header.Sequence;
            return buffer.AsSpan(header.PayloadOffset, header.PayloadLength).ContainsAnyExcept((byte)0xD5);
        }

        public void SendAudio(IPEndPoint to, ushort sequence, short value, uint ssrc = 7)
        {
            var pcm = new short[160];
            Array.Fill(pcm, value);
            var packet = new byte[172];
            RtpHeader.Write(packet, false, 8, sequence, (uint)(sequence * 160), ssrc);
            G711.Encode(AudioCodec.Pcma, pcm, packet.AsSpan(12));
            socket.SendTo(packet, to);
        }

        public void Dispose() => socket.Dispose();
    }
}
