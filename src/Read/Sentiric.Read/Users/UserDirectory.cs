using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.EventStore;
using Sentiric.Read.Http;

namespace Sentiric.Read.Users;

/// <summary>The users of a tenant with their contacts and phones.</summary>
public sealed class UserDirectory() : SingleStreamProjection<UserRow>("user_directory", ReadJson.Default.UserRow)
{
    internal const string Table = "mt_doc_user_directory";

    /// <summary>2: SIP names with their realms.</summary>
    public override int Version => 2;

    public override IReadOnlyCollection<string> EventTypes { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "user_created", "user_renamed", "user_language_changed", "user_disabled", "user_enabled", "contact_added", "contact_removed",
        "sip_credential_set", "sip_credential_removed",
    };

    public override UserRow? Evolve(UserRow? document, RecordedEvent recorded, object @event) => (document, @event) switch
    {
        (null, UserCreated e) => new(e.UserId, e.Name, e.Type, e.Language, false, [], [], []),
        ({ } user, UserRenamed e) => user with { Name = e.Name },
        ({ } user, UserLanguageChanged e) => user with { Language = e.Language },
        ({ } user, UserDisabled) => user with { Disabled = true },
        ({ } user, UserEnabled) => user with { Disabled = false },
        ({ } user, ContactAdded e) => user with { Contacts = [.. user.Contacts, new(e.Type, e.Value, e.Primary)] },
        ({ } user, ContactRemoved e) => user with { Contacts = [.. user.Contacts.Where(c => c.Type != e.Type || c.Value != e.Value)] },
        ({ } user, SipCredentialSet e) => Named(user, [.. Without(user, e.Realm, e.Username), new(e.Realm, e.Username)]),
        ({ } user, SipCredentialRemoved e) => Named(user, [.. Without(user, e.Realm, e.Username)]),
        _ => document,
    };

    private static IEnumerable<SipNameRow> Without(UserRow user, string realm, string username) => (user.SipNames ?? []).Where(n => n != new SipNameRow(realm, username));

    private static UserRow Named(UserRow user, IReadOnlyList<SipNameRow> names) => user with { SipNames = names, SipUsernames = [.. names.Select(n => n.Username).Distinct(StringComparer.Ordinal)] };

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/users", (HttpContext http, Tables tables, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant => ReadHttp.Json(await Documents.ListAsync(tables, Table, ReadJson.Default.UserRow, tenant, ct))))
            .WithTags("users").WithName("ListUsers").Produces<IReadOnlyList<UserRow>>().WithSummary("The users of the tenant.");
        routes.MapGet("/users/{userId:guid}", (HttpContext http, Tables tables, Guid userId, CancellationToken ct) =>
                ReadHttp.ForTenantAsync(http, async tenant =>
                    await Documents.FindAsync(tables, Table, ReadJson.Default.UserRow, tenant, Streams.User(userId), ct) is { } user
                        ? ReadHttp.Json(user)
                        : ReadHttp.Problem("user.unknown", $"There is no user {userId} in tenant '{tenant}'.")))
            .WithTags("users").WithName("GetUser").Produces<UserRow>().WithSummary("One user.");
    }
}
