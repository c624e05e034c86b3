using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>Asks the LLM for a conversation and reports its answer, sentence by sentence. Shared by calls and chats.</summary>
internal static class LlmRunner
{
    /// <param name="note">For the fact that it was asked.</param>
    public static async Task AskAsync(ILlm llm, AskLlm ask, TimeProvider time, Action<object> note, Func<DialogueInput, ValueTask> report, CancellationToken ct)
    {
        note(new LlmRequested(time.GetUtcNow(), llm.Model, ask.Messages.Count));
        var sentences = System.Threading.Channels.Channel.CreateBounded<string>(MaxSentences);
        var telling = TellAsync(sentences.Reader, ask.WorkId, time, report, ct);
        DialogueInput end;
        try
        {
            var unspoken = "";
            var reply = await llm.AskAsync(ask.Messages, ask.Tools, text => unspoken = Cut(unspoken + text, sentences.Writer), ct).ConfigureAwait(false);
            sentences.Writer.TryWrite(unspoken);
            end = new LlmAnswered(
                time.GetUtcNow(), ask.WorkId, reply.Text, reply.ToolCalls, reply.Model, reply.PromptTokens, reply.CompletionTokens, reply.FirstTokenMs, reply.TookMs);
        }
        catch (LlmException e)
        {
            end = new LlmGaveUp(time.GetUtcNow(), ask.WorkId, llm.Model, $"{e.Fault}: {e.Message}");
        }

        sentences.Writer.TryComplete();
        await telling.ConfigureAwait(false);
        await report(end).ConfigureAwait(false);
    }

    // More sentences than this are no spoken answer; the rest is not said.
    private const int MaxSentences = 64;

    private static string Cut(string text, System.Threading.Channels.ChannelWriter<string> sentences)
    {
        while (Sentences.TakeFirst(text) is { } first)
        {
            sentences.TryWrite(first.Sentence);
            text = first.Remainder;
        }

        return text;
    }

    private static async Task TellAsync(
        System.Threading.Channels.ChannelReader<string> sentences, int workId, TimeProvider time, Func<DialogueInput, ValueTask> report, CancellationToken ct)
    {
        await foreach (var sentence in sentences.ReadAllAsync(ct).ConfigureAwait(false))
        {
            await report(new LlmSaid(time.GetUtcNow(), workId, sentence)).ConfigureAwait(false);
        }
    }
}
