using Sentiric.Cli.Demo;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Xunit;

namespace Sentiric.Cli.Tests.Demo;

public sealed class DemoPartsTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("salı günü", "salı günü", 0, 2)]
    [InlineData("Salı günü.", "SALI GÜNÜ", 0, 2)]
    [InlineData("saat onda", "saat on da", 2, 2)]
    [InlineData("hayır teşekkür ederim", "teşekkür ederim", 1, 3)]
    [InlineData("evet", "", 1, 1)]
    [InlineData("", "evet", 1, 0)]
    public void Word_errors_are_the_fewest_changes(string said, string heard, int errors, int words) =>
        Assert.Equal(new WordErrors(errors, words), WordErrors.Between(said, heard));

    [Fact]
    public void The_first_free_hour_is_asked_for()
    {
        var monday = new DateOnly(2026, 3, 2);
        Assert.Equal(new FreeSlot("salı", "saat onda"), FreeSlot.Choose(monday, new HashSet<string>()));
        Assert.Equal(new FreeSlot("çarşamba", "saat onda"), FreeSlot.Choose(monday, new HashSet<string> { "2026-03-03 10:00" }));
    }

    [Fact]
    public void A_weekday_of_today_means_the_next_week() => // on a Tuesday "salı" is seven days away
        Assert.Equal(
            new FreeSlot("çarşamba", "saat onda"), FreeSlot.Choose(new DateOnly(2026, 3, 3), new HashSet<string> { "2026-03-10 10:00" }));

    [Fact]
    public void A_full_week_leaves_nothing_to_ask_for()
    {
        var everything = Enumerable.Range(0, 14).SelectMany(d => Enumerable.Range(9, 9).Select(h => $"{new DateOnly(2026, 3, 2).AddDays(d):yyyy-MM-dd} {h:00}:00"));
        Assert.Null(FreeSlot.Choose(new DateOnly(2026, 3, 2), everything.ToHashSet()));
    }

    [Fact]
    public void A_whole_call_misses_nothing() => Assert.Empty(Verdict.Missing(Whole, Facts, Recording, Phone));

    [Fact]
    public void Each_thing_that_is_missing_is_named()
    {
        var broken = Whole with { Record = Whole.Record with { Answered = false, EndedAt = null, Mos = null }, Turns = [] };
        Assert.Equal(
            [
                "the call was not answered", "only 0 turns were completed, 3 are the least", "no appointment was booked: no tool succeeded",
                "no question was answered from the knowledge base", "the call record has no end time", "the call record has no MOS",
                "the recording: there is none", "the caller's side: it made no report",
            ],
            Verdict.Missing(broken, [], Recording with { Fault = "there is none" }, null));
    }

    [Fact]
    public void A_hit_that_was_not_told_is_no_answer() =>
        Assert.Equal(["no question was answered from the knowledge base"], Verdict.Missing(Whole, [.. Facts.Where(f => f is not TranscriptFinal)], Recording, Phone));

    [Fact]
    public void A_line_of_the_phone_is_read_and_noise_is_not()
    {
        Assert.Equal(562, PhoneMessage.Read("""{"event":"answer_heard","at_ms":4000,"step":1,"ms":562}""")?.Ms);
        Assert.Null(PhoneMessage.Read("Unhandled exception"));
        Assert.Null(PhoneMessage.Read("{}"));
    }

    private static readonly RecordingCheck Recording = new("a.wav", "aa", 100, null);

    private static readonly PhoneMessage Phone = new("report", Ok: true);

    private static readonly IReadOnlyList<object> Facts =
    [
        new ToolSucceeded(At, "k", new Dictionary<string, string>(), 5),
        new KnowledgeSearched(At, "çalışma saatleriniz nedir", [new("calisma-saatleri", "Çalışma saatleri", 0.9)]),
        new TranscriptFinal(At, 3, Speaker.Agent, "Açığız.", 1, 0, 900, UtteranceKind.Answer, null),
    ];

    private static readonly CallDetail Whole = new(
        new CallRecord(
            Guid.Empty, "demo", CallDirection.Inbound, "+905321112233", "+902120000001", Guid.Empty, "Ayşe Yılmaz", "karsilama", DialplanAction.StartAiConversation, "normal",
            At, At, At, At, true, CallEndReason.Normal, HungUpBy.Callee, 200, 16, 30, 30_000, 30_000, 3, "PCMA", 4.2, 0, 1, "a.wav", "aa", 30_000, "sip-id"),
        [], [.. Enumerable.Range(1, 3).Select(n => new TurnRow(n, "evet", "peki", 0.9, new TurnLatency(1, 1, 1, 1, 4)))]);
}
