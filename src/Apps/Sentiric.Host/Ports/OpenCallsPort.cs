using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IOpenCalls"/> over HTTP, both ends.</summary>
public sealed class OpenCallsPort(HttpClient client) : IOpenCalls
{
    private const string Open = PortHttp.Prefix + "/calls/open";

    public async ValueTask<IReadOnlyList<OpenCall>> ListAsync(DateTimeOffset before, CancellationToken ct) =>
        (await client.AskAsync<OpenQuestion, OpenCall[]>(Open, new(before), ct)).Value;

    public static void Map(IEndpointRouteBuilder routes, IOpenCalls calls) =>
        routes.MapPlainQuestion<OpenQuestion, IReadOnlyList<OpenCall>>(Open, (q, ct) => calls.ListAsync(q.Before, ct));

    public sealed record OpenQuestion(DateTimeOffset Before);
}
