using System.Text.Json.Serialization;
using Sentiric.Contracts.Queries;

namespace Sentiric.Contracts.Services;

/// <summary>The telephones of a tenant, for whoever operates it: which are registered, where, until when, and which are not.</summary>
public interface IRegistrations
{
    /// <summary>Extensions in the order of their names, each with a row for every telephone that is registered, or one row that says that none is.</summary>
    ValueTask<Page<RegistrationRow>> ListAsync(RegistrationQuestion question, CancellationToken ct);

    /// <summary>
    /// Forgets a telephone, or all of an extension, at once; the telephone is told nothing and comes back with its next REGISTER. Quiet when it is gone already;
    /// refusal <c>registration.unknown</c> when the tenant has no such extension.
    /// </summary>
    ValueTask<Result<Done>> RemoveAsync(RemoveRegistration request, CancellationToken ct);
}

/// <param name="Extension">Only this one; <c>*</c> stands for any letters. Null: all.</param>
/// <param name="State">Only rows of this state; null: both.</param>
/// <param name="Limit">Extensions of a page, 1 to <see cref="ExtensionQuestion.MostAtOnce"/>.</param>
/// <param name="Cursor">A page's <c>next</c>; what is none begins anew.</param>
public sealed record RegistrationQuestion(string Tenant, string? Extension, TelephoneState? State, int Limit, string? Cursor);

/// <param name="Which">The id of a row, or an extension for all of its telephones.</param>
/// <param name="Actor">Who asks for it; kept with the event.</param>
public sealed record RemoveRegistration(string Tenant, string Which, string Actor);

[JsonConverter(typeof(JsonStringEnumConverter<TelephoneState>))]
public enum TelephoneState
{
    [JsonStringEnumMemberName("registered")] Registered,

    /// <summary>The extension has a password, and no telephone that uses it.</summary>
    [JsonStringEnumMemberName("not_registered")] NotRegistered,
}

/// <summary>A telephone that is registered (RFC 3261 10), or an extension without one: then everything from <paramref name="Id"/> on is absent.</summary>
/// <param name="Realm">The realm that the password is for.</param>
/// <param name="ForeignRealm">It is another than the platform's (<c>Sip__Realm</c>): no telephone can register with this password.</param>
/// <param name="Disabled">The user is: the telephone is not rung and cannot register again.</param>
/// <param name="Contact">URI that the telephone gave; calls go to <paramref name="SourceAddress"/> all the same.</param>
/// <param name="Transport">udp, tcp, tls, ws or wss.</param>
/// <param name="SourceAddress">Where the REGISTER came from, behind NAT the outside of it.</param>
/// <param name="RegisteredAt">Since when the contact is known without a gap; absent where nobody noted it.</param>
/// <param name="Q">The telephone's wish for order, 0 to 1; absent when it has none.</param>
public sealed record RegistrationRow(
    string Extension, string Realm, Guid UserId, string UserName, TelephoneState State, bool Disabled, bool ForeignRealm,
    string? Id = null, string? AddressOfRecord = null, string? Contact = null, string? Transport = null, string? SourceAddress = null, int? SourcePort = null,
    string? UserAgent = null, DateTimeOffset? RegisteredAt = null, DateTimeOffset? ExpiresAt = null, long? ExpiresInSeconds = null, double? Q = null, string? CallId = null);
