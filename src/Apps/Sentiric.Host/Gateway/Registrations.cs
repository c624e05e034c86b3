using Microsoft.AspNetCore.Mvc;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;

namespace Sentiric.Host.Gateway;

/// <summary>GET and DELETE /v1/registrations: which telephones are registered, which are not, and throwing one out. The sip role knows.</summary>
public static class Registrations
{
    private const int UsualPage = 50;

    public static void Map(IEndpointRouteBuilder v1)
    {
        v1.MapGet("/registrations", ListAsync).WithTags("registrations").WithName("ListRegistrations").Produces<Page<RegistrationRow>>()
            .WithSummary("Extensions with their registered telephones, and those without one; extension takes * for any letters, state is registered or not_registered. A page holds limit extensions.");
        v1.MapDelete("/registrations/{which}", RemoveAsync).WithTags("registrations").WithName("RemoveRegistration").Produces(204).Produces<ProblemBody>(404, Problems.ContentType)
            .WithSummary("Forgets a telephone by the id of its row, or all of an extension, at once. It comes back with its next REGISTER: disable the user or take the password away to keep it out.");
    }

    /// <param name="Extension">Its name; <c>*</c> stands for any letters.</param>
    /// <param name="State">registered or not_registered; both without it.</param>
    /// <param name="Limit">Extensions of a page, 1 to 500.</param>
    /// <param name="Cursor">The page before's <c>next</c>.</param>
    public sealed record ListQuery(
        [FromQuery(Name = "extension")] string? Extension, [FromQuery(Name = "state")] string? State, [FromQuery(Name = "limit")] int? Limit, [FromQuery(Name = "cursor")] string? Cursor);

    private static async Task<IResult> ListAsync([AsParameters] ListQuery query, HttpContext http, IRegistrations registrations, CancellationToken ct) =>
        query.State is not (null or "registered" or "not_registered")
            ? new GatewayApi.ProblemResult(new("request.invalid", $"state is registered or not_registered, not '{query.State}'."), 400)
            : Results.Json(await registrations.ListAsync(new(GatewayApi.Tenant(http), Some(query.Extension), StateOf(query.State), query.Limit ?? UsualPage, Some(query.Cursor)), ct), Wire.Json);

    private static async Task<IResult> RemoveAsync(string which, HttpContext http, IRegistrations registrations, CancellationToken ct) =>
        (await registrations.RemoveAsync(new(GatewayApi.Tenant(http), which, http.Items[CallerGate.ActorItem] as string ?? "api"), ct))
            .Match<IResult>(_ => Results.NoContent(), refusal => new GatewayApi.ProblemResult(refusal, Problems.StatusOf(refusal.Code)));

    private static TelephoneState? StateOf(string? state) => state switch
    {
        "registered" => TelephoneState.Registered,
        "not_registered" => TelephoneState.NotRegistered,
        _ => null,
    };

    private static string? Some(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
