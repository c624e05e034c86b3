using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Ports;

/// <summary><see cref="IRegistrations"/> over HTTP, both ends.</summary>
public sealed class RegistrationsPort(HttpClient client) : IRegistrations
{
    private const string List = PortHttp.Prefix + "/registrations", Remove = List + "/remove";

    public async ValueTask<Page<RegistrationRow>> ListAsync(RegistrationQuestion question, CancellationToken ct) =>
        (await client.AskAsync<RegistrationQuestion, Page<RegistrationRow>>(List, question, ct)).Value;

    public ValueTask<Result<Done>> RemoveAsync(RemoveRegistration request, CancellationToken ct) => client.AskAsync<RemoveRegistration, Done>(Remove, request, ct);

    public static void Map(IEndpointRouteBuilder routes, IRegistrations registrations)
    {
        routes.MapPlainQuestion<RegistrationQuestion, Page<RegistrationRow>>(List, registrations.ListAsync);
        routes.MapQuestion<RemoveRegistration, Done>(Remove, registrations.RemoveAsync);
    }
}
