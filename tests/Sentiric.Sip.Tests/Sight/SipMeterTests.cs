using System.Diagnostics.Metrics;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Sight;

/// <summary>What an endpoint counts of itself.</summary>
public sealed class SipMeterTests
{
    [Fact]
    public async Task A_call_that_comes_in_is_counted_by_method_status_and_time()
    {
        using var ear = new Ear();
        await using Stage stage = await ear.HearAsync(() => Stage.OpenAsync());
        stage.Phone.Say(stage.Phone.Request("INVITE", "call-1", "z9hG4bK-1", 1, sdp: ScriptedPhone.Sdp));
        IncomingInvite invite = await stage.Application.NextInviteAsync();
        stage.Time.Advance(TimeSpan.FromSeconds(2));
        Task<SipAnswerResult> answer = invite.AnswerAsync(ScriptedPhone.Sdp);
        SipResponse ok = await stage.Phone.HearResponseAsync(200);
        stage.Ack(ok);
        await TestApplication.Within(answer, "the ACK");

        ear.Look();
        Assert.Equal(1, ear["sip.requests direction=received method=INVITE"]);
        Assert.Equal(1, ear["sip.requests direction=received method=ACK"]);
        Assert.Equal(1, ear["sip.responses direction=sent status=100"]);
        Assert.Equal(1, ear["sip.responses direction=sent status=200"]);
        Assert.Equal(2, ear["sip.messages direction=received transport=udp"]);
        Assert.Equal(1, ear["sip.dialogs"]);
        Assert.Equal(2, ear["sip.call.setup direction=inbound"]);
        Assert.Equal(0, ear["sip.queue.depth queue=stack"]);
    }

    [Fact]
    public async Task Our_call_is_timed_to_its_ringing_and_its_answer_and_copies_are_counted()
    {
        using var ear = new Ear();
        await using Stage stage = await ear.HearAsync(() => Stage.OpenAsync());
        OutgoingCall call = await stage.Endpoint.InviteAsync(new OutgoingInvite
        {
            Target = SipUri.Parse($"sip:1@{stage.Phone.Address};transport=udp"), From = NameAddr.Create(null, SipUri.Parse("sip:us@home.example")), Offer = ScriptedPhone.Sdp,
        });
        SipRequest invite = await stage.Phone.HearRequestAsync("INVITE");
        stage.Time.Advance(TimeSpan.FromMilliseconds(500));
        await stage.Phone.HearRequestAsync("INVITE");
        stage.Phone.Say(IncomingCallTests.Response(invite, 180, "t"));
        Assert.Equal(180, (await TestApplication.Within(call.Progress.ReadAsync().AsTask(), "the ringing")).StatusCode);
        stage.Time.Advance(TimeSpan.FromMilliseconds(1500));
        stage.Phone.Say(IncomingCallTests.Response(invite, 200, "t", $"Contact: <sip:1@{stage.Phone.Address}>", ScriptedPhone.Sdp));
        await TestApplication.Within(call.Completed, "the answer");

        ear.Look();
        Assert.Equal(1, ear["sip.retransmissions direction=sent what=request"]);
        Assert.Equal(0.5, ear["sip.call.post_dial_delay"]);
        Assert.Equal(2, ear["sip.call.setup direction=outbound"]);
    }

    [Fact]
    public async Task What_is_turned_away_is_counted_by_reason()
    {
        using var ear = new Ear();
        await using Stage stage = await ear.HearAsync(() => Stage.OpenAsync());
        stage.Phone.Say("INVITE sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n");
        ear.Look();
        Assert.Equal(1, ear["sip.refused reason=malformed"]);
        Assert.Equal(0, ear["sip.refused reason=rate"]);
    }

    /// <summary>Hears the instruments that come into being while it is told to, on its own thread: other tests have endpoints too.</summary>
    private sealed class Ear : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly Dictionary<string, double> values = [];
        private readonly int thread = Environment.CurrentManagedThreadId;
        private bool hears;

        public Ear()
        {
            listener.InstrumentPublished = (instrument, ear) =>
            {
                if (hears && Environment.CurrentManagedThreadId == thread && instrument.Meter.Name == TrunkKeeper.MeterName)
                {
                    ear.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
            listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
            listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
            listener.Start();
        }

        public double this[string name]
        {
            get
            {
                lock (values)
                {
                    return values.TryGetValue(name, out double value) ? value : throw new KeyNotFoundException($"{name} was not measured; {string.Join(", ", values.Keys)} were.");
                }
            }
        }

        /// <summary>The endpoint makes its instruments before anything is waited for.</summary>
        public Task<T> HearAsync<T>(Func<Task<T>> open)
        {
            hears = true;
            Task<T> opening = open();
            hears = false;
            return opening;
        }

        public void Look() => listener.RecordObservableInstruments();

        public void Dispose() => listener.Dispose();

        private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string name = instrument.Name;
            foreach ((string tag, object? of) in tags)
            {
                name += $" {tag}={of}";
            }

            lock (values)
            {
                values[name] = value;
            }
        }
    }
}
