namespace Sentiric.Dialogue;

/// <summary>A language model that answers a conversation and may call tools.</summary>
public interface ILlm
{
    string Model { get; }

    /// <summary>
    /// Asks once. Text comes in pieces through <paramref name="onText"/> as it is written; the reply holds all of it.
    /// Throws <see cref="LlmException"/> when no whole answer can be had within its time.
    /// </summary>
    Task<LlmReply> AskAsync(IReadOnlyList<LlmMessage> messages, IReadOnlyList<LlmTool> tools, Action<string> onText, CancellationToken ct);
}

/// <param name="FirstTokenMs">From the request to the first piece of text or tool call.</param>
public sealed record LlmReply(
    string Text, IReadOnlyList<LlmToolCall> ToolCalls, string Model, int PromptTokens, int CompletionTokens, long FirstTokenMs, long TookMs);

public enum LlmFault
{
    Unreachable,
    TimedOut,
    Refused,
    Overloaded,
    BadAnswer,
}

/// <summary>The language model gave no answer that can be used.</summary>
public sealed class LlmException(LlmFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public LlmFault Fault { get; } = fault;
}
