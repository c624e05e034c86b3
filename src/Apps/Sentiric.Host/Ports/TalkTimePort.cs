using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="ITalkTime"/> over HTTP, both ends.</summary>
public sealed class TalkTimePort(HttpClient client) : ITalkTime
{
    private const string Between = PortHttp.Prefix + "/calls/talk-time";

    public async ValueTask<IReadOnlyList<TrunkTalkTime>> BetweenAsync(DateTimeOffset since, DateTimeOffset before, CancellationToken ct) =>
        (await client.AskAsync<Question, TrunkTalkTime[]>(Between, new(since, before), ct)).Value;

    public static void Map(IEndpointRouteBuilder routes, ITalkTime times) =>
        routes.MapPlainQuestion<Question, IReadOnlyList<TrunkTalkTime>>(Between, (q, ct) => times.BetweenAsync(q.Since, q.Before, ct));

    public sealed record Question(DateTimeOffset Since, DateTimeOffset Before);
}
