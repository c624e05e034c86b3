using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore.Proofs;

/// <summary>A public key (ECDSA, P-256) and its id: the first 16 hexadecimal digits of SHA-256 over the key's SubjectPublicKeyInfo.</summary>
public sealed class AuditPublicKey
{
    private const int IdDigits = 16;
    private readonly ECDsa _key;

    private AuditPublicKey(ECDsa key)
    {
        if (key.ExportParameters(false).Curve.Oid.FriendlyName is not ("nistP256" or "ECDSA_P256")) throw new CryptographicException("The key is not one of the curve P-256.");
        (_key, Info) = (key, key.ExportSubjectPublicKeyInfo());
        Id = AuditHash.Hex(SHA256.HashData(Info))[..IdDigits];
    }

    public string Id { get; }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public byte[] Info { get; }

    public string Pem => _key.ExportSubjectPublicKeyInfoPem();

    /// <summary>From DER; throws <see cref="CryptographicException"/> for anything else.</summary>
    public static AuditPublicKey Of(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        return new AuditPublicKey(key);
    }

    /// <summary>From PEM, public or private; throws <see cref="CryptographicException"/> or <see cref="ArgumentException"/> for anything else.</summary>
    public static AuditPublicKey OfPem(string pem)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return new AuditPublicKey(key);
    }

    /// <summary>Whether a DER signature is this key's over the text. Anything unreadable is no signature.</summary>
    public bool Signed(string text, byte[] signature) =>
        _key.VerifyData(Encoding.UTF8.GetBytes(text), signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
}

/// <summary>The private key of a notary. It lives in a file or in the environment, never in the database.</summary>
public sealed class AuditKey : IDisposable
{
    // Notary and erasures sign from different threads, and a key of the library is for one at a time.
    private readonly Lock _signing = new();
    private readonly ECDsa _key;

    private AuditKey(ECDsa key) => (_key, Public) = (key, AuditPublicKey.Of(key.ExportSubjectPublicKeyInfo()));

    public AuditPublicKey Public { get; }

    public string Id => Public.Id;

    public static AuditKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>From PEM (PKCS#8 or SEC 1); throws <see cref="CryptographicException"/> or <see cref="ArgumentException"/> when there is no such private key.</summary>
    public static AuditKey OfPem(string pem)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        if (key.ExportParameters(false).Curve.Oid.FriendlyName is not ("nistP256" or "ECDSA_P256")) throw new CryptographicException("The key is not one of the curve P-256.");
        _ = key.SignData([], HashAlgorithmName.SHA256);
        return new AuditKey(key);
    }

    /// <summary>
    /// The key in a file that only its owner may read; made when there is none. Two processes that start at once end up with the same key:
    /// the file is written aside and linked into place, and the second takes what the first put there.
    /// </summary>
    public static AuditKey OfFile(string path)
    {
        if (!File.Exists(path)) CreateFile(path);
        return OfPem(File.ReadAllText(path));
    }

    /// <summary>A DER signature (RFC 3279) over the UTF-8 bytes of the text, as <c>openssl dgst -sha256 -verify</c> takes it.</summary>
    public byte[] Sign(string text)
    {
        lock (_signing) return _key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    public void Dispose() => _key.Dispose();

    private static void CreateFile(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        if (folder is not null) Directory.CreateDirectory(folder);
        var aside = $"{path}.{Guid.NewGuid():N}";
        using var key = Create();
        var writing = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) writing.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new StreamWriter(aside, Encoding.ASCII, writing)) file.Write(key._key.ExportPkcs8PrivateKeyPem() + "\n");
        try
        {
            File.Move(aside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
        }
    }
}

/// <summary>
/// A public key as the store keeps it, with the signature of the key before it: whoever trusts one key can follow to those that came after.
/// The first key signs for itself.
/// </summary>
/// <param name="KeyId">Made of the public key, see <see cref="AuditPublicKey.Id"/>.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo, DER.</param>
/// <param name="EndorsedBy">Id of the key that signed.</param>
/// <param name="Endorsement">DER signature over <see cref="Text"/>.</param>
public sealed record KeyRecord(string KeyId, byte[] PublicKey, DateTimeOffset IntroducedAt, string EndorsedBy, byte[] Endorsement)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public string Text => TextOf(KeyId, PublicKey, IntroducedAt, EndorsedBy);

    public static KeyRecord Endorse(AuditPublicKey key, AuditKey by, DateTimeOffset introducedAt) => new(
        key.Id, key.Info, introducedAt, by.Id, by.Sign(TextOf(key.Id, key.Info, introducedAt, by.Id)));

    private static string TextOf(string id, byte[] info, DateTimeOffset introducedAt, string endorsedBy) => string.Create(
        CultureInfo.InvariantCulture,
        $"sentiric.audit.key.1\nkey {id}\npublic {Convert.ToBase64String(info)}\nintroduced_at {AuditTime.Text(introducedAt)}\nendorsed_by {endorsedBy}\n");
}
