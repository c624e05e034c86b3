using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="ITrunks"/> over HTTP, both ends.</summary>
public sealed class TrunksPort(HttpClient client) : ITrunks
{
    private const string List = PortHttp.Prefix + "/trunks";

    public async ValueTask<IReadOnlyList<TrunkReport>> ListAsync(CancellationToken ct) => (await client.AskAsync<Question, TrunkReport[]>(List, new(), ct)).Value;

    public static void Map(IEndpointRouteBuilder routes, ITrunks trunks) =>
        routes.MapPlainQuestion<Question, IReadOnlyList<TrunkReport>>(List, (_, ct) => trunks.ListAsync(ct));

    public sealed record Question;
}
