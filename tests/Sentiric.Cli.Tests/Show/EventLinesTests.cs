using System.Globalization;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Events;
using Sentiric.Testing;
using Xunit;

namespace Sentiric.Cli.Tests.Show;

public sealed class EventLinesTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Call = Guid.Parse("01980000-0000-7000-8000-0000000abcde");

    [Fact]
    public void A_call_reads_from_the_INVITE_to_its_end()
    {
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
        try
        {
            Golden.Check(Text(withCall: false, colours: false), "tests", "Sentiric.Cli.Tests", "Show", "call.approved.txt");
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public void Among_many_calls_each_line_names_its_own() => Assert.All(
        Text(withCall: true, colours: false).Split('\n').Where(l => l.Length > 0 && l[0] != ' '), l => Assert.StartsWith("0abcde ", l, StringComparison.Ordinal));

    [Fact]
    public void Colours_come_only_where_somebody_looks()
    {
        Assert.Contains("\e[", Text(withCall: false, colours: true), StringComparison.Ordinal);
        Assert.DoesNotContain("\e[", Text(withCall: false, colours: false), StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_this_version_does_not_know_is_shown_by_its_name()
    {
        var known = EventEnvelope.Of(new CallRinging(Start), Guid.Empty, Streams.Call(Call), 1, Start, "demo");
        Assert.Equal("   0.00  call.teleported", Assert.Single(Lines(false, false).Of(known with { Type = "call.teleported" })));
    }

    private static string Text(bool withCall, bool colours)
    {
        var lines = Lines(withCall, colours);
        return string.Join('\n', Story().SelectMany((fact, n) => lines.Of(EventEnvelope.Of(fact, Guid.Empty, Streams.Call(Call), n + 1, Start, "demo"))));
    }

    private static EventLines Lines(bool withCall, bool colours) =>
        new(new Terminal(TextReader.Null, TextWriter.Null, TextWriter.Null, colours, interactive: false), withCall);

    private static IEnumerable<object> Story()
    {
        var user = Guid.Parse("01980000-0000-7000-8000-000000000001");
        var resolution = new DialplanResolution(
            "demo", "karsilama", 1, DialplanAction.StartAiConversation, new("dis-klinigi"), "+902120000001", user, "tr", "normal",
            ["+902120000001 is a route of tenant demo", "the caller is Ayşe Yılmaz"], null, null);
        var latency = new TurnLatency(350, 120, 3, 90, 563);
        yield return new CallReceived(At(0), "abc@phone", "+905321112233", "Ayşe", "+902120000001", CallDirection.Inbound, "udp", "127.0.0.1:4711");
        yield return new SipMessageLogged(At(0), true, "udp", "127.0.0.1:4711", "INVITE sip:+902120000001@127.0.0.1:5060", 812);
        yield return new SipMessageLogged(At(2), false, "udp", "127.0.0.1:4711", "100 Trying", 300);
        yield return new UserIdentifiedForCall(At(10), user, "Ayşe Yılmaz", UserType.Caller, "tr", "+905321112233");
        yield return new UserCreatedForCall(At(10), user, "Misafir", UserType.Guest, "tr", "+905000000000");
        yield return new CallRouteResolved(At(12), resolution);
        yield return new MediaStarted(At(15), "m1", "127.0.0.1:10000", "127.0.0.1:20000", "PCMA");
        yield return new CallRinging(At(16));
        yield return new CallStarted(At(17), "+905321112233", "+902120000001", CallDirection.Inbound, resolution, "Ayşe Yılmaz", new("m1", "a", "b", "PCMA"));
        yield return new CallAnswered(At(30), 30);
        yield return new AgentTookOver(At(31), "builtin", "ctc", "espeak-ng");
        yield return new PlaybackStarted(At(40), "p1", UtteranceKind.Greeting, "Merhaba.");
        yield return new TranscriptFinal(At(41), 0, Speaker.Agent, "Merhaba Ayşe Yılmaz.", 1, 10, 1500, UtteranceKind.Greeting, null);
        yield return new SpeechStarted(At(3000), 3000);
        yield return new SpeechEnded(At(4500), 4500, 1500);
        yield return new TranscriptFinal(At(5000), 1, Speaker.Caller, "merhaba randevu almak istiyorum", 0.934, 3000, 1500, null, null);
        yield return new DialogTurnCompleted(At(5200), 1, "merhaba randevu almak istiyorum", "Hangi gün gelmek istersiniz?", 0.934, latency);
        yield return new DtmfReceived(At(5300), "5", 100);
        yield return new KnowledgeSearched(At(6000), "çalışma saatleriniz nedir", [new("calisma-saatleri", "Çalışma saatleri", 0.97)]);
        yield return new KnowledgeSearched(At(6100), "ay kaç kilometre", []);
        yield return new ToolCalled(At(7000), "k1", "takvim", "book", new Dictionary<string, string> { ["day"] = "salı", ["time"] = "10:00" });
        yield return new ToolSucceeded(At(7012), "k1", new Dictionary<string, string> { ["date"] = "2026-03-03", ["time"] = "10:00" }, 12);
        yield return new ToolFailed(At(7100), "k2", "calendar.slot_taken", "Bu saat dolu.", 8);
        yield return new LlmRequested(At(7200), "model", 4);
        yield return new LlmCompleted(At(7900), "model", 220, 31, 240, 700);
        yield return new LlmFailed(At(8000), "model", "timeout");
        yield return new PlaybackInterrupted(At(8200), "p2", 900, "Hafta içi ve");
        yield return new TranscriptFinal(At(8200), 3, Speaker.Agent, "Hafta içi ve", 1, 7300, 900, UtteranceKind.Answer, "Hafta içi ve cumartesi açığız.");
        yield return new CallHeld(At(9000));
        yield return new CallResumed(At(9500));
        yield return new CallHeld(At(9510), HungUpBy.Callee);
        yield return new CallResumed(At(9520), HungUpBy.Callee);
        yield return new CallSupervised(At(9530), "key:ofis", SupervisionMode.Whisper);
        yield return new SupervisionEnded(At(9540), "key:ofis", 10);
        yield return new AgentFailed(At(9600), "llm", "no answer");
        yield return new MediaTimedOut(At(9700), 30);
        yield return new MediaQualityMeasured(At(10_000), true, "PCMA", 1, 500, 480, 20, 3, 0, 1.25, 0.4, 4.19, 47);
        yield return new CallEnded(At(12_345), CallEndReason.Normal, HungUpBy.Callee, 200, 16, true, 30, 12_315, 12_315);
        yield return new RecordingAvailable(At(12_400), "demo/2026/call.wav", "wav", 12_300, 393_644, "aa11");
    }

    private static DateTimeOffset At(int ms) => Start.AddMilliseconds(ms);
}
