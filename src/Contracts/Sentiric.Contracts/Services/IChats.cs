namespace Sentiric.Contracts.Services;

/// <summary>The same dialogue over text.</summary>
public interface IChats
{
    /// <summary>Opens a chat with an assistant of the tenant; refusal <c>assistant.unknown</c>.</summary>
    ValueTask<Result<ChatReply>> StartAsync(StartChat request, CancellationToken ct);

    /// <summary>Says something; refusals <c>chat.unknown</c>, <c>chat.ended</c>, <c>chat.text_too_long</c>.</summary>
    ValueTask<Result<ChatReply>> SayAsync(string tenant, Guid chatId, string text, CancellationToken ct);
}

public sealed record StartChat(string Tenant, string AssistantId, string? Contact);

/// <param name="Texts">What the agent says, in order.</param>
public sealed record ChatReply(Guid ChatId, IReadOnlyList<string> Texts, bool Ended);
