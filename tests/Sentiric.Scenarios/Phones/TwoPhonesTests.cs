using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Sip;
using Sentiric.Speech;
using Xunit;

namespace Sentiric.Scenarios.Phones;

/// <summary>Two telephones on loopback, without any platform between them: what the scenario tests trust must itself be tested.</summary>
public sealed class TwoPhonesTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly string folder = Directory.CreateTempSubdirectory("two-phones").FullName;
    private LoopbackPhone ayse = null!;
    private LoopbackPhone clinic = null!;

    public async Task InitializeAsync()
    {
        ayse = await LoopbackPhone.StartAsync();
        clinic = await LoopbackPhone.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await ayse.DisposeAsync();
        await clinic.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(SipTransportKind.Udp)]
    [InlineData(SipTransportKind.Tcp)]
    public async Task A_call_carries_voice_and_keys_and_ends_at_both(SipTransportKind transport)
    {
        var (calling, called) = await ConnectedAsync(transport);
        var key = new TaskCompletionSource<char>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = called.Media.Watch(e => { if (e is MediaEvent.DtmfPressed pressed) key.TrySetResult(pressed.Digit); });
        using var ear = called.Listen();
        var spoken = calling.Play(Tone.Sine(440, TimeSpan.FromMilliseconds(400)));
        Assert.Equal(400, (await Within(spoken.Finished, "the tone to be played")).HeardMs);
        Assert.True(await Within(HearsToneAsync(ear), "the tone to arrive"));
        Assert.True(calling.SendDtmf("7"));
        Assert.Equal('7', await Within(key.Task, "the key to arrive"));
        await calling.HangUpAsync();
        Assert.Equal(SipDialogEndCause.RemoteBye, (await Within(called.Ended, "the called side to see the BYE")).Cause);
        Assert.Equal(SipDialogEndCause.LocalBye, (await Within(calling.Ended, "the calling side to be done")).Cause);
        Assert.Equal("Ayşe", called.From?.Display);
        Assert.Equal([180, 200], calling.Statuses);
        Assert.Equal(0, (await calling.CloseAsync()).Quality.Malformed);
    }

    [Fact]
    public async Task A_refused_call_says_with_which_status()
    {
        var calling = await DialAsync(SipTransportKind.Udp);
        await (await Within(clinic.Incoming.ReadAsync().AsTask(), "the call to ring")).RejectAsync(486);
        Assert.Equal(486, (await Within(calling.Established, "the refusal")).Status);
        // An INVITE that the busy machine lets us repeat is answered with its 180 again (RFC 3261 17.2.1).
        Assert.Equal([180, 486], calling.Statuses.Distinct());
    }

    [Fact]
    public async Task A_cancelled_call_never_comes_up()
    {
        var calling = await DialAsync(SipTransportKind.Udp);
        await Within(clinic.Incoming.ReadAsync().AsTask(), "the call to ring");
        await calling.CancelAsync();
        var established = await Within(calling.Established, "the end of the cancelled call");
        Assert.False(established.IsAnswered);
        Assert.Equal(487, established.Status);
    }

    [Fact]
    public async Task Hold_stops_the_voice_of_the_other_side_and_resume_brings_it_back()
    {
        var (calling, called) = await ConnectedAsync(SipTransportKind.Udp);
        Assert.True((await Within(calling.ReinviteAsync(MediaDirection.SendOnly), "the hold"))?.IsAccepted);
        Assert.Equal(MediaDirection.RecvOnly, called.Media.Audio?.Direction);
        Assert.True((await Within(calling.ReinviteAsync(MediaDirection.SendRecv), "the resume"))?.IsAccepted);
        Assert.Equal(MediaDirection.SendRecv, called.Media.Audio?.Direction);
        await calling.HangUpAsync();
    }

    [Fact]
    public async Task An_abandoned_call_falls_silent_without_a_BYE()
    {
        var (calling, called) = await ConnectedAsync(SipTransportKind.Udp);
        using var ear = called.Listen();
        calling.Play(Tone.Sine(440, TimeSpan.FromSeconds(30)));
        Assert.True(await Within(HearsToneAsync(ear), "the tone to arrive"));
        calling.Abandon();
        Assert.True(await Within(HearsToneAsync(ear, andItsEnd: true), "the tone to break off"));
        await calling.CloseAsync();
        await ayse.DisposeAsync();
        Assert.False(called.Ended.IsCompleted);
        Assert.DoesNotContain(clinic.Trace, m => m.StartLine.StartsWith("BYE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_scripted_caller_waits_for_its_turn_measures_the_answers_and_records_the_call()
    {
        var script = CallerScript.Parse("""
            { "values": { "day": "salı" }, "steps": [ { "say": "{day} günü" }, { "say": "dur", "while_agent_speaks_ms": 300 }, { "wait_for_hang_up_ms": 5000 } ] }
            """).With(new Dictionary<string, string> { ["day"] = "pazartesi" });
        var told = new List<CallerProgress>();
        var recording = Path.Combine(folder, "caller.wav");
        var caller = new ScriptedCaller(
            new ToneVoice(), new Dialing(clinic.AddressOf("1001"), "+905321112233", "Ayşe"), recordTo: recording, maxCall: TimeSpan.FromSeconds(20), tell: told.Add);
        var run = caller.RunAsync(script);
        await Within(AgentAsync(), "the agent's side of the call");
        var report = await Within(run, "the caller's report");

        Assert.True(report.Ok, $"{report.End}: {report.Problem}");
        Assert.Equal(("normal", "callee", true), (report.End, report.HungUpBy, report.AllStepsPlayed));
        Assert.Equal("pazartesi günü", report.Steps[0].Text);
        Assert.InRange(report.Steps[0].LatencyMs ?? -1, 0, 2_000);
        Assert.InRange(report.Steps[1].AgentStoppedAfterMs ?? -1, 0, 2_000);
        Assert.Equal(["dialing", "status", "status", "answered"], told.Take(4).Select(t => t.Event));
        Assert.True(new FileInfo(recording).Length > 16_000, "the recording holds more than half a second");
        Assert.True(report.Rtp?.Received > 50, $"{report.Rtp}");
    }

    // Greets, is asked, answers, is interrupted and stops, hangs up: each at what it hears of the caller.
    private async Task AgentAsync()
    {
        var call = await clinic.Incoming.ReadAsync();
        Assert.True(await call.AnswerAsync());
        using var ear = call.Listen();
        await call.Play(Tone.Sine(300, TimeSpan.FromMilliseconds(600))).Finished;
        Assert.True(await HearsToneAsync(ear, andItsEnd: true));
        var answer = call.Play(Tone.Sine(300, TimeSpan.FromSeconds(8)));
        Assert.True(await HearsToneAsync(ear));
        call.Media.Clear();
        Assert.True((await answer.Finished).Interrupted);
        Assert.True(await HearsToneAsync(ear, andItsEnd: true));
        // The caller's ear believes that somebody has stopped only after a silence.
        await call.Play(new short[8_000]).Finished;
        await call.HangUpAsync();
    }

    private async Task<(PhoneCall Calling, PhoneCall Called)> ConnectedAsync(SipTransportKind transport)
    {
        var calling = await DialAsync(transport);
        var called = await Within(clinic.Incoming.ReadAsync().AsTask(), "the call to ring");
        Assert.True(await Within(called.AnswerAsync(), "the ACK"));
        Assert.True((await Within(calling.Established, "the answer")).IsAnswered);
        return (calling, called);
    }

    private Task<PhoneCall> DialAsync(SipTransportKind transport) =>
        ayse.DialAsync(new Dialing(clinic.AddressOf("1001", transport), "+905321112233", "Ayşe", transport));

    private static async Task<bool> HearsToneAsync(MediaListener ear, bool andItsEnd = false)
    {
        var loud = 0;
        await foreach (var frame in ear.Frames.ReadAllAsync())
        {
            var isLoud = frame.Pcm.Span.IndexOfAnyExceptInRange((short)-2_000, (short)2_000) >= 0;
            loud = isLoud ? loud + 1 : loud;
            if (loud >= 5 && (!andItsEnd || !isLoud)) return true;
        }

        return false;
    }

    private static async Task<T> Within<T>(Task<T> task, string what)
    {
        await Within((Task)task, what);
        return await task;
    }

    private static async Task Within(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Waited {Patience.TotalSeconds} s for {what}.");
        }
    }

    /// <summary>Speaks half a second of tone for any sentence.</summary>
    private sealed class ToneVoice : ISpeechSynthesizer
    {
        public IReadOnlyList<VoiceInfo> Voices => [];

        public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(
            SynthesisRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
        {
            await Task.Yield();
            cancel.ThrowIfCancellationRequested();
            yield return new AudioChunk(Tone.Sine(500, TimeSpan.FromMilliseconds(500)), 8_000);
        }
    }
}
