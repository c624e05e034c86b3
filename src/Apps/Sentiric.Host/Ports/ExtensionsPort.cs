using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IExtensions"/> over HTTP, both ends.</summary>
public sealed class ExtensionsPort(HttpClient client) : IExtensions
{
    private const string List = PortHttp.Prefix + "/extensions";

    public async ValueTask<IReadOnlyList<Extension>> ListAsync(ExtensionQuestion question, CancellationToken ct) =>
        (await client.AskAsync<ExtensionQuestion, Extension[]>(List, question, ct)).Value;

    public static void Map(IEndpointRouteBuilder routes, IExtensions extensions) =>
        routes.MapPlainQuestion<ExtensionQuestion, IReadOnlyList<Extension>>(List, extensions.ListAsync);
}
