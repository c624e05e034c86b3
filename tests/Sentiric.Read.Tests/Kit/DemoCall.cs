using Sentiric.Contracts.Events;

namespace Sentiric.Read.Tests.Kit;

/// <summary>A caller books an appointment: one answered call from the INVITE to the recording, as the realtime roles tell it.</summary>
internal static class DemoCall
{
    public static readonly DateTimeOffset Begin = new(2026, 11, 17, 7, 30, 0, TimeSpan.Zero);
    public static readonly Guid Id = new("01930000-0000-7000-8000-000000000001");
    public static readonly Guid Caller = new("01930000-0000-7000-8000-0000000000aa");
    public const string Tenant = "demo";
    public const string From = "+905321112233";
    public const string To = "+902121234567";
    public const string Recording = "demo/2026/11/17/01930000-0000-7000-8000-000000000001.wav";

    /// <summary>Up to the moment when the agent has taken over and the first answer was given.</summary>
    public static object[] Running(string from = From, string to = To) =>
    [
        new CallReceived(At(0), "a84b4c76e66710@pbx", from, "Ayşe", to, CallDirection.Inbound, "udp", "127.0.0.1:5090"),
        new SipMessageLogged(At(1), true, "udp", "127.0.0.1:5090", "INVITE sip:902121234567@127.0.0.1", 620),
        new UserIdentifiedForCall(At(8), Caller, "Ayşe Yılmaz", UserType.Caller, "tr", from),
        new CallRouteResolved(At(12), Resolution(to)),
        new MediaStarted(At(15), "01930000000070008000000000000001", "127.0.0.1:30000", "127.0.0.1:4000", "PCMA"),
        new CallRinging(At(16)),
        new RecordingStarted(At(17), Recording),
        new CallAnswered(At(120), 120),
        new CallStarted(At(120), from, to, CallDirection.Inbound, Resolution(to), "Ayşe Yılmaz", new("01930000000070008000000000000001", "127.0.0.1:30000", "127.0.0.1:4000", "PCMA")),
        new AgentTookOver(At(180), "built-in", "sentiric-ctc-tr-8k", "espeak-ng"),
        new TranscriptFinal(At(2_200), 0, Speaker.Agent, "Merhaba, size nasıl yardımcı olabilirim?", 1, 200, 2_000, UtteranceKind.Greeting, null),
        new TranscriptFinal(At(5_000), 1, Speaker.Caller, "yarın saat on dörtte randevu istiyorum", 0.91, 2_600, 2_300, null, null),
        new TranscriptFinal(At(8_000), 1, Speaker.Agent, "Randevunuz yarın", 1, 5_500, 1_200, UtteranceKind.Answer, "Randevunuz yarın 14.00 için alındı."),
        new DialogTurnCompleted(At(8_100), 1, "yarın saat on dörtte randevu istiyorum", "Randevunuz yarın 14.00 için alındı.", 0.91, new(320, 90, 40, 60, 510)),
        new MediaQualityMeasured(At(8_200), false, "PCMA", 7, 400, 398, 2, 0, 0, 1.2, 0, 4.1, 40),
    ];

    public static object[] Ending() =>
    [
        new CallEnded(At(30_120), CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 120, 30_000, 30_000),
        new MediaQualityMeasured(At(30_130), true, "PCMA", 7, 1_500, 1_490, 10, 1, 0, 2.5, 0, 4.2, 60),
        new RecordingAvailable(At(30_140), Recording, "wav", 30_000, 960_044, new string('a', 64)),
    ];

    public static DialplanResolution Resolution(string to) => new(
        Tenant, "ai", 3, DialplanAction.StartAiConversation, new("demo-agent"), to, Caller, "tr", "normal", ["route " + to, "plan ai"], null, null);

    /// <summary>A call that rang and was given up.</summary>
    public static object[] GivenUp(DateTimeOffset at, string from = From, string to = To) =>
    [
        new CallReceived(at, "b-" + at.UtcTicks, from, "", to, CallDirection.Inbound, "udp", "127.0.0.1:5090"),
        new CallRinging(at.AddMilliseconds(50)),
        new CallEnded(at.AddSeconds(20), CallEndReason.Cancelled, HungUpBy.Caller, 487, 16, false, 20_000, 0, 0),
    ];

    private static DateTimeOffset At(int ms) => Begin.AddMilliseconds(ms);
}
