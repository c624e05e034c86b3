using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Tenants;

/// <summary>POST /tenants. A key of the system may create any tenant, a tenant's own key its own.</summary>
public sealed record CreateTenant(string Tenant, string Name, string Language = "tr", GuestPolicy GuestPolicy = GuestPolicy.CreateGuest) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/tenants", (HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CreateAsync<CreateTenant, CreateTenant>(runner, body => body, c => ($"tenants/{c.Tenant}", new TenantCreatedReply(c.Tenant)), ct))
            .Describe<CreateTenant, TenantCreatedReply>("CreateTenant", "tenants");

    public Decision Decide(Tenants.Tenant tenant, DateTimeOffset now)
    {
        if (!Valid.TenantId(Tenant))
        {
            return new Refusal("tenant.bad_id", "A tenant's id has lower-case letters, digits and single dashes, at most 64 characters.");
        }

        if (!Valid.Text(Name, Valid.MaxName) || !Valid.Language(Language))
        {
            return new Refusal("tenant.invalid", "A tenant needs a name of at most 200 characters and a language, 'tr' or 'en'.");
        }

        var created = new TenantCreated(now, Tenant, Name, Language, GuestPolicy);
        return tenant.Created switch
        {
            null => Decision.Of(created),
            { } earlier when Valid.Same(earlier with { At = now }, created) => Decision.Quiet,
            _ => new Refusal("tenant.exists", $"Tenant '{Tenant}' exists already with other settings."),
        };
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct)
    {
        if (who.Tenant != Streams.SystemTenant && who.Tenant != Tenant)
        {
            return ValueTask.FromResult<Result<Done>>(new Refusal("tenant.forbidden", $"A key of tenant '{who.Tenant}' cannot create tenant '{Tenant}'."));
        }

        return runner.RunAsync(who with { Tenant = Valid.TenantId(Tenant) ? Tenant : who.Tenant }, async (work, token) =>
        {
            var tenant = await work.FetchAsync<Tenants.Tenant>(Streams.Tenant(Tenant), token).ConfigureAwait(false);
            return work.Append(Streams.Tenant(Tenant), Decide(tenant, work.Now));
        }, ct, tenantMustExist: false);
    }
}

public sealed record TenantCreatedReply(string Tenant);
