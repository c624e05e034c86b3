using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class CallAgentTests
{
    [Fact]
    public async Task A_caller_books_asks_and_says_good_bye()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        await Say(bench, "merhaba randevu almak istiyorum", "Hangi gün");
        await Say(bench, "salı günü", "Saat kaçta");
        await Say(bench, "saat onda", "Adınızı");
        await Say(bench, "ayşe yılmaz", "onaylıyor musunuz");
        await Say(bench, "evet onaylıyorum", "Başka bir konuda");
        await Say(bench, "çalışma saatleriniz nedir", "dokuzdan altıya");
        bench.Caller("hayır teşekkür ederim iyi günler");
        var end = await bench.TerminatedAsync();
        Assert.Equal((CallEndReason.Normal, HungUpBy.Callee), (end.Reason, end.By));
        Assert.Equal("salı", Assert.Single(bench.World.Executed).Parameters["day"]);
        Assert.Equal(7, bench.World.Facts.OfType<DialogTurnCompleted>().Count());
        Assert.Contains(bench.World.Facts, f => f is AgentTookOver { Engine: "built-in", Recognizer: "fake", Synthesizer: "fake fake-tr" });
        Assert.Contains(bench.World.Facts, f => f is KnowledgeSearched { Hits.Count: 1 });
        Assert.Contains(bench.World.Facts, f => f is ToolSucceeded);
        // D46: the good-bye was heard before the end was asked for.
        Assert.Contains(bench.World.Facts, f => f is TranscriptFinal { Kind: UtteranceKind.Goodbye });
        bench.Media.HangUp();
        await bench.DoneAsync();
    }

    [Fact]
    public async Task The_recogniser_knows_the_assistants_phrases()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        await Say(bench, "randevu almak istiyorum", "Hangi gün");
        Assert.Superset(
            new HashSet<string> { "randevu almak istiyorum", "salı günü", "saat onda", "çalışma saatleriniz nedir", "evet", "hayır teşekkür ederim iyi günler", "adım ayşe yılmaz" },
            bench.Recognizer.Phrases.ToHashSet());
    }

    [Fact]
    public async Task A_caller_who_interrupts_silences_the_agent_and_is_answered()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        bench.Media.HoldPlayback = true;
        bench.Caller("adresiniz nedir");
        await bench.PlayedAsync("greeting, part one");
        await bench.PlayedAsync("greeting, part two");
        await bench.PlayedAsync("the address");
        bench.Recognizer.Partial = "muayene ücreti";
        bench.Media.HoldPlayback = false;
        bench.Media.Speak(1_000, 15);
        var cut = await bench.World.FactAsync<PlaybackInterrupted>("the address to be cut off");
        bench.Caller("muayene ücreti ne kadar");
        Assert.True(bench.Media.Cleared > 0);
        Assert.NotEqual("", cut.HeardText);
        await Heard(bench, "beş yüz lira");
        var line = bench.World.Facts.OfType<TranscriptFinal>().Last(t => t.Speaker == Speaker.Agent && t.FullText is not null);
        Assert.True(line.Text.Length < line.FullText?.Length);
    }

    [Fact]
    public async Task The_parts_of_a_turns_latency_add_up()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        await Say(bench, "adresiniz nedir", "Bahariye");
        var turn = await bench.World.FactAsync<DialogTurnCompleted>("the turn");
        Assert.Equal(turn.Latency.TotalMs, turn.Latency.EndOfSpeechMs + turn.Latency.RecognizeMs + turn.Latency.ThinkMs + turn.Latency.SpeakMs);
    }

    // Four hundred milliseconds: enough after an answer, not after words that may go on.
    [Fact]
    public async Task A_short_answer_to_the_open_question_ends_the_turn_soon()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        await Say(bench, "randevu almak istiyorum", "Hangi gün");
        bench.Caller("salı günü", partial: "salı günü", silentFrames: 20);
        await Heard(bench, "Saat kaçta");
        bench.Caller("saat onda", partial: "saat onda", silentFrames: 20);
        await Heard(bench, "Adınızı");
        bench.Caller("ayşe yılmaz", partial: "ayşe yılmaz", silentFrames: 20);
        await Heard(bench, "onaylıyor musunuz");
    }

    [Fact]
    public async Task An_answer_over_the_end_of_the_question_stops_the_agent_and_counts()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        await Say(bench, "salı günü saat onda randevu almak istiyorum", "Adınızı");
        bench.Media.HoldPlayback = true;
        bench.Caller("ayşe yılmaz");
        while (!(await bench.World.FactAsync<PlaybackStarted>("the confirmation to begin")).Text.Contains("onaylıyor musunuz", StringComparison.Ordinal))
        {
        }

        // The report of what was cut off and the caller's words race each other: both must tell of the same second that was heard.
        await bench.AskingAsync(UtteranceKind.Confirmation);
        bench.Media.HeardWhenClearedMs = 1_000;
        bench.Time.Advance(TimeSpan.FromSeconds(2));
        bench.Media.HoldPlayback = false;
        bench.Caller("evet", partial: "evet");
        await bench.World.FactAsync<PlaybackInterrupted>("the confirmation to be cut off");
        await Heard(bench, "alındı");
        Assert.Single(bench.World.Executed);
    }

    [Fact]
    public async Task A_silent_caller_is_asked_again()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        for (var i = 0; i < 100 && !bench.World.Facts.OfType<TranscriptFinal>().Any(t => t.Kind == UtteranceKind.Reprompt); i++)
        {
            bench.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Yield();
        }

        await Heard(bench, "duyamıyorum");
    }

    [Fact]
    public async Task A_recogniser_that_does_not_start_ends_in_a_spoken_fail_safe()
    {
        await using var bench = new AgentBench { Recognizer = { Broken = true } }.Run();
        await Heard(bench, "teknik bir sorun");
        var end = await bench.TerminatedAsync();
        Assert.Equal((CallEndReason.AgentFailed, HungUpBy.System), (end.Reason, end.By));
        Assert.Contains(bench.World.Facts, f => f is AgentFailed { Stage: "recognizer" });
    }

    [Fact]
    public async Task A_recogniser_that_dies_ends_in_a_spoken_fail_safe()
    {
        await using var bench = new AgentBench { Recognizer = { BreaksOnFinal = true } }.Run();
        await Heard(bench, "Size nasıl");
        bench.Caller("merhaba");
        await Heard(bench, "teknik bir sorun");
        Assert.Equal(CallEndReason.AgentFailed, (await bench.TerminatedAsync()).Reason);
    }

    [Fact]
    public async Task A_voice_that_dies_leaves_the_fail_safe_that_was_made_before()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        bench.Synthesizer.Broken = true;
        bench.Caller("randevu almak istiyorum");
        await Heard(bench, "teknik bir sorun");
        Assert.Equal(CallEndReason.AgentFailed, (await bench.TerminatedAsync()).Reason);
    }

    [Fact]
    public async Task Without_any_voice_the_call_is_ended()
    {
        await using var bench = new AgentBench { Synthesizer = { Broken = true } }.Run();
        Assert.Equal(CallEndReason.AgentFailed, (await bench.TerminatedAsync()).Reason);
    }

    [Fact]
    public async Task A_media_session_that_is_gone_ends_the_call()
    {
        await using var bench = new AgentBench { Media = { NoSession = true } }.Run();
        await AgentBench.Within(bench.Media.Refused, "the greeting to be refused");
        var terminated = bench.TerminatedAsync();
        while (!terminated.IsCompleted)
        {
            bench.Time.Advance(CallAgent.EndIsTold);
            await Task.Yield();
        }

        Assert.Equal(CallEndReason.AgentFailed, (await terminated).Reason);
        Assert.Contains(bench.World.Facts, f => f is AgentFailed { Stage: "media" });
    }

    [Fact]
    public async Task A_media_session_that_is_gone_because_somebody_hung_up_is_no_failure()
    {
        await using var bench = new AgentBench { Media = { NoSession = true } }.Run();
        await AgentBench.Within(bench.Media.Refused, "the greeting to be refused");
        bench.CallOver();
        await bench.DoneAsync();
        Assert.DoesNotContain(bench.World.Facts, f => f is AgentFailed);
    }

    [Fact]
    public async Task A_knowledge_base_that_is_away_does_not_end_the_call()
    {
        await using var bench = new AgentBench { World = { KnowledgeBroken = true } }.Run();
        await Heard(bench, "Size nasıl");
        await Say(bench, "adresiniz nedir", "elimde bilgi yok");
    }

    [Fact]
    public async Task A_journal_that_fails_twice_loses_nothing()
    {
        await using var bench = new AgentBench { World = { JournalFailures = 2 } }.Run();
        for (var i = 0; i < 200 && !bench.World.Facts.Any(); i++)
        {
            bench.Time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.IsType<AgentTookOver>(await bench.World.FactAsync<object>("the first fact"));
    }

    // D24
    [Fact]
    public async Task An_announcement_is_played_and_the_call_ended()
    {
        await using var bench = new AgentBench().Run(AgentBench.Call(DialplanAction.PlayAnnouncement, "maintenance"));
        Assert.Equal(CallEndReason.Maintenance, (await bench.TerminatedAsync()).Reason);
        Assert.Contains(bench.World.Facts, f => f is TranscriptFinal { Kind: UtteranceKind.Announcement } t && t.Text.Contains("bakımdadır", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_echo_test_echoes()
    {
        await using var bench = new AgentBench().Run(AgentBench.Call(DialplanAction.EchoTest));
        await Heard(bench, "Yankı");
        await AgentBench.Within(bench.Media.Echoing.Task, "the echo to begin");
    }

    [Fact]
    public async Task A_caller_who_hangs_up_ends_the_agent()
    {
        await using var bench = new AgentBench().Run();
        await Heard(bench, "Size nasıl");
        bench.Media.HangUp();
        await bench.DoneAsync();
    }

    private static async Task Say(AgentBench bench, string words, string answer)
    {
        bench.Caller(words);
        await Heard(bench, answer);
    }

    private static async Task Heard(AgentBench bench, string words)
    {
        while (true)
        {
            var line = await bench.World.FactAsync<TranscriptFinal>($"the agent to say \"{words}\"");
            if (line.Speaker == Speaker.Agent && line.Text.Contains(words, StringComparison.Ordinal))
            {
                return;
            }
        }
    }
}
