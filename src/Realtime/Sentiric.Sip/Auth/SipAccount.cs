namespace Sentiric.Sip;

/// <summary>
/// Who may authenticate, and for which addresses of record. Holds hashes of the password (HA1 of RFC 7616), never the password.
/// </summary>
public sealed record SipAccount(string Realm, string UserName, string? Md5Secret, string? Sha256Secret, IReadOnlyList<string> AddressesOfRecord)
{
    /// <summary>Both hashes out of a password.</summary>
    public static SipAccount Create(string realm, string userName, string password, params IReadOnlyList<string> addressesOfRecord) => new(
        realm, userName,
        DigestMath.Secret(DigestAlgorithm.Md5, userName, realm, password),
        DigestMath.Secret(DigestAlgorithm.Sha256, userName, realm, password),
        addressesOfRecord.Select(address => SipUri.Parse(address).AddressOfRecord).ToList());

    public bool Owns(string addressOfRecord) => AddressesOfRecord.Contains(addressOfRecord, StringComparer.Ordinal);

    internal string? Secret(DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => Md5Secret,
        DigestAlgorithm.Sha256 => Sha256Secret,
    };
}

/// <summary>Where accounts come from.</summary>
public interface ICredentialStore
{
    ValueTask<SipAccount?> FindAsync(string realm, string userName, CancellationToken ct);
}

/// <summary>Accounts in memory.</summary>
public sealed class MemoryCredentialStore : ICredentialStore
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string Realm, string UserName), SipAccount> accounts = new();

    public void Put(SipAccount account) => accounts[(account.Realm, account.UserName)] = account;

    public ValueTask<SipAccount?> FindAsync(string realm, string userName, CancellationToken ct) => ValueTask.FromResult(accounts.GetValueOrDefault((realm, userName)));
}
