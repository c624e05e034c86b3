using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Services;

/// <summary>The user service as the SIP role sees it.</summary>
public interface IUsers
{
    /// <summary>
    /// Who is calling. An unknown caller is treated by <see cref="IdentifyCaller.Policy"/>; with <see cref="GuestPolicy.Reject"/>
    /// the answer is the refusal <c>caller.unknown</c>; a disabled user is <c>user.disabled</c>.
    /// Asking twice for one caller makes one guest.
    /// </summary>
    ValueTask<Result<CallerIdentity>> IdentifyAsync(IdentifyCaller request, CancellationToken ct);

    /// <summary>Digest credentials of a phone that registers; refusal <c>credential.unknown</c>.</summary>
    ValueTask<Result<SipCredential>> FindCredentialAsync(string realm, string username, CancellationToken ct);
}

/// <param name="From">Normalised number, extension or user name; <c>anonymous</c> never makes a guest.</param>
public sealed record IdentifyCaller(string Tenant, string From, GuestPolicy Policy, string Language, Guid CallId);

/// <param name="UserId">Null when the caller stays unknown by policy.</param>
public sealed record CallerIdentity(Guid? UserId, string? Name, UserType? Type, string Language, string Contact, bool Created);

public sealed record SipCredential(string Tenant, Guid UserId, string Realm, string Username, string Ha1Md5, string Ha1Sha256, bool Disabled);
