using System.Text.Json;
using System.Text.Json.Serialization;
using Sentiric.Contracts.Events;

namespace Sentiric.Dialogue;

/// <summary>A call's conversation as it is kept in the call state: enough for another process to go on.</summary>
public sealed record AgentSnapshot(string Tenant, Guid CallId, CallStarted Call, DialogueState State);

/// <summary>A chat as it is kept in the call state.</summary>
public sealed record ChatSnapshot(string Tenant, Guid ChatId, DialogueState State);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AgentSnapshot))]
[JsonSerializable(typeof(ChatSnapshot))]
[JsonSerializable(typeof(DialogueState))]
[JsonSerializable(typeof(DialogueInput))]
public sealed partial class DialogueJson : JsonSerializerContext
{
    public static byte[] Write(AgentSnapshot snapshot) => JsonSerializer.SerializeToUtf8Bytes(snapshot, Default.AgentSnapshot);

    public static byte[] Write(ChatSnapshot snapshot) => JsonSerializer.SerializeToUtf8Bytes(snapshot, Default.ChatSnapshot);

    public static AgentSnapshot? ReadAgent(byte[] json) => JsonSerializer.Deserialize(json, Default.AgentSnapshot);

    public static ChatSnapshot? ReadChat(byte[] json) => JsonSerializer.Deserialize(json, Default.ChatSnapshot);
}
