using Sentiric.Contracts;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IChats"/> over HTTP, both ends.</summary>
public sealed class ChatsPort(HttpClient client) : IChats
{
    private const string Start = PortHttp.Prefix + "/chats/start";
    private const string Say = PortHttp.Prefix + "/chats/say";

    public ValueTask<Result<ChatReply>> StartAsync(StartChat request, CancellationToken ct) => client.AskAsync<StartChat, ChatReply>(Start, request, ct);

    public ValueTask<Result<ChatReply>> SayAsync(string tenant, Guid chatId, string text, CancellationToken ct) =>
        client.AskAsync<SayQuestion, ChatReply>(Say, new(tenant, chatId, text), ct);

    public static void Map(IEndpointRouteBuilder routes, IChats chats)
    {
        routes.MapQuestion<StartChat, ChatReply>(Start, chats.StartAsync);
        routes.MapQuestion<SayQuestion, ChatReply>(Say, (q, ct) => chats.SayAsync(q.Tenant, q.ChatId, q.Text, ct));
    }

    public sealed record SayQuestion(string Tenant, Guid ChatId, string Text);
}
