using System.Text.Json.Serialization;

namespace Sentiric.Dialogue;

[JsonConverter(typeof(JsonStringEnumConverter<LlmRole>))]
public enum LlmRole
{
    System,
    User,
    Assistant,
    Tool,
}

/// <param name="ToolCalls">Of the assistant; null when it called none.</param>
/// <param name="ToolCallId">Of a tool's answer.</param>
public sealed record LlmMessage(LlmRole Role, string Content, IReadOnlyList<LlmToolCall>? ToolCalls = null, string? ToolCallId = null);

/// <param name="Arguments">JSON object, as the model wrote it.</param>
public sealed record LlmToolCall(string Id, string Name, string Arguments);

/// <param name="Parameters">JSON schema of the arguments.</param>
public sealed record LlmTool(string Name, string Description, string Parameters);
