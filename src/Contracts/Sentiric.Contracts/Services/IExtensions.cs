namespace Sentiric.Contracts.Services;

/// <summary>Who of a tenant has a password for a telephone, as the sip role asks the read role.</summary>
public interface IExtensions
{
    /// <summary>In the order of name and realm (ordinal); at most <paramref name="question"/>'s limit.</summary>
    ValueTask<IReadOnlyList<Extension>> ListAsync(ExtensionQuestion question, CancellationToken ct);
}

/// <param name="Name">Only this name; <c>*</c> stands for any letters. Null: all.</param>
/// <param name="AfterName">Goes on behind this name and <paramref name="AfterRealm"/>; null: from the first.</param>
/// <param name="Limit">1 to <see cref="MostAtOnce"/>.</param>
public sealed record ExtensionQuestion(string Tenant, string? Name, string? AfterName, string? AfterRealm, int Limit)
{
    public const int MostAtOnce = 500;
}

/// <summary>A name that a telephone may register under, in the realm that its password is for.</summary>
/// <param name="Disabled">The user is: the telephone may not register and is not rung.</param>
public sealed record Extension(string Name, string Realm, Guid UserId, string UserName, bool Disabled);
