using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class LlmConversationTests
{
    // D29
    [Theory]
    [InlineData("umarım")]
    [InlineData("teşekkür ederim")]
    public void Small_words_arrive_at_the_model(string words)
    {
        var call = new ScriptedCall(llm: true).Caller(words);
        Assert.Equal(words, Asked(call).Messages[^1].Content);
    }

    [Fact]
    public void The_model_is_told_who_it_is_and_what_it_can_do()
    {
        var ask = Asked(new ScriptedCall(caller: "Ayşe", llm: true).Caller("merhaba"));
        Assert.Contains("Kliniğin asistanısın.", ask.Messages[0].Content, StringComparison.Ordinal);
        Assert.Contains("Ayşe", ask.Messages[0].Content, StringComparison.Ordinal);
        Assert.Equal(["book", "search_knowledge", "end_conversation"], ask.Tools.Select(t => t.Name));
    }

    [Fact]
    public void Its_sentences_are_spoken_as_they_come()
    {
        var call = new ScriptedCall(llm: true).Caller("merhaba");
        var work = Asked(call).WorkId;
        call.Do(at => new LlmSaid(at, work, "Merhaba Ayşe Hanım.")).Agent("Merhaba Ayşe Hanım.");
        call.Do(at => Answer(at, work, "Merhaba Ayşe Hanım.")).Silent();
        Assert.Contains(call.Notes, n => n is LlmCompleted { CompletionTokens: 7 });
    }

    [Fact]
    public void A_tool_call_becomes_a_connector_call_and_its_outcome_goes_back()
    {
        var call = new ScriptedCall(llm: true).Caller("salı onda randevu");
        call.Do(at => Answer(at, Asked(call).WorkId, "", new LlmToolCall("c1", "book", """{"day":"salı günü","time":"saat onda","name":"Ayşe"}""")));
        Assert.Equal(("salı", "10:00"), (call.Calls.Single().Parameters["day"], call.Calls.Single().Parameters["time"]));
        var back = Asked(call).Messages;
        Assert.Equal((LlmRole.Tool, "c1"), (back[^1].Role, back[^1].ToolCallId));
        Assert.Contains("appointment_id=a1", back[^1].Content, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_arguments_are_asked_for_not_invented()
    {
        var call = new ScriptedCall(llm: true).Caller("randevu");
        call.Do(at => Answer(at, Asked(call).WorkId, "", new LlmToolCall("c1", "book", """{"day":"salı"}""")));
        Assert.Empty(call.Calls);
        Assert.Contains("time, name", Asked(call).Messages[^1].Content, StringComparison.Ordinal);
    }

    [Fact]
    public void The_model_may_look_things_up_and_end_the_call()
    {
        var call = new ScriptedCall(llm: true).Caller("neredesiniz");
        call.Do(at => Answer(at, Asked(call).WorkId, "", new LlmToolCall("c1", "search_knowledge", """{"query":"adresiniz nedir"}""")));
        Assert.Contains("Bahariye", Asked(call).Messages[^1].Content, StringComparison.Ordinal);
        call.Do(at => Answer(at, Asked(call).WorkId, "", new LlmToolCall("c2", "end_conversation", "{}"))).Agent("hoşça kalın");
        Assert.NotNull(call.HungUp);
    }

    [Fact]
    public void When_the_model_fails_the_built_in_engine_answers_and_after_two_failures_stays()
    {
        var call = new ScriptedCall(llm: true).Caller("randevu almak istiyorum");
        call.Do(at => new LlmGaveUp(at, Asked(call).WorkId, "m", "TimedOut")).Agent("Hangi gün");
        call.Caller("salı").Do(at => new LlmGaveUp(at, Asked(call).WorkId, "m", "TimedOut")).Agent("Saat kaçta");
        call.Caller("saat onda").Agent("Adınızı");
        Assert.Equal(2, call.Notes.Count(n => n is LlmFailed));
        Assert.Equal(2, call.Effects.OfType<AskLlm>().Count());
    }

    private static AskLlm Asked(ScriptedCall call) => call.Effects.OfType<AskLlm>().Last();

    private static LlmAnswered Answer(DateTimeOffset at, int work, string text, params LlmToolCall[] calls) => new(at, work, text, calls, "m", 10, 7, 100, 200);
}
