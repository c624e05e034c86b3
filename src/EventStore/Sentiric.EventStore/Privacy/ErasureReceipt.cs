using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>What was done to forget somebody. No personal value is in it.</summary>
/// <param name="Counts">Per place: how many items were destroyed, deleted or written anew there.</param>
/// <param name="Findings">What a search of the tables still found of the person; empty is what it should be.</param>
public sealed record ErasureReceipt(
    Guid Erasure, string Tenant, string SubjectHash, string Reason, string Actor, DateTimeOffset RequestedAt, DateTimeOffset DestroyedAt, DateTimeOffset FinishedAt,
    int KeysDestroyed, int Streams, IReadOnlyDictionary<string, long> Counts, IReadOnlyList<string> Findings);

/// <summary>The JSON of a receipt as it was signed, byte for byte, and the signatures over its UTF-8.</summary>
/// <param name="Signature">Base64; of the operator's own key, see <see cref="MasterKeySigner"/>.</param>
/// <param name="Audit">Null where the store had no audit key when the receipt was made.</param>
public sealed record SignedReceipt(string Receipt, string KeyId, string Algorithm, string Signature, AuditSignature? Audit = null);

/// <summary>A signature that anybody can check who has the public key: ECDSA P-256 over SHA-256, DER in base64, as <c>openssl dgst -sha256 -verify</c> takes it.</summary>
public sealed record AuditSignature(string KeyId, string Signature);

public interface IReceiptSigner
{
    string KeyId { get; }

    string Algorithm { get; }

    byte[] Sign(ReadOnlySpan<byte> receipt);

    /// <summary>The signature for outsiders; null without a key that outsiders know.</summary>
    AuditSignature? Witness(string receipt);

    bool IsSignature(string keyId, ReadOnlySpan<byte> receipt, ReadOnlySpan<byte> signature);
}

/// <summary>
/// HMAC-SHA256 with a key derived from a master key: proves to the operator, not to a third party, that the receipt is ours. With an audit key the receipt
/// carries a second signature, which proves it to everybody; the texts that a notary signs begin otherwise, so one can never pass for the other.
/// </summary>
public sealed class MasterKeySigner(MasterKeys master, AuditKey? audit = null) : IReceiptSigner
{
    private const string Purpose = "erasure receipts";

    public string KeyId => master.CurrentId;

    public string Algorithm => "HMAC-SHA256";

    public byte[] Sign(ReadOnlySpan<byte> receipt) => HMACSHA256.HashData(master.Derive(KeyId, Purpose), receipt);

    public AuditSignature? Witness(string receipt) => audit is null ? null : new AuditSignature(audit.Id, Convert.ToBase64String(audit.Sign(receipt)));

    public bool IsSignature(string keyId, ReadOnlySpan<byte> receipt, ReadOnlySpan<byte> signature) =>
        master.Has(keyId) && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(master.Derive(keyId, Purpose), receipt), signature);
}

public static class Receipts
{
    // Bytes; what is longer is no signature of ours.
    private const int MaxSignature = 1_024;

    public static SignedReceipt Signed(this IReceiptSigner signer, ErasureReceipt receipt)
    {
        var body = JsonSerializer.Serialize(receipt, ErasureJson.Default.ErasureReceipt);
        return new SignedReceipt(body, signer.KeyId, signer.Algorithm, Convert.ToBase64String(signer.Sign(Encoding.UTF8.GetBytes(body))), signer.Witness(body));
    }

    /// <summary>Whether the receipt is as it was signed, by a key that this signer knows.</summary>
    public static bool IsGenuine(this IReceiptSigner signer, SignedReceipt signed)
    {
        var signature = new byte[MaxSignature];
        return signed.Algorithm == signer.Algorithm && Convert.TryFromBase64String(signed.Signature, signature, out var length)
            && signer.IsSignature(signed.KeyId, Encoding.UTF8.GetBytes(signed.Receipt), signature.AsSpan(0, length));
    }

    /// <summary>Whether an audit key that counts signed the receipt as it is. False for receipts from before there was such a key.</summary>
    public static bool IsWitnessed(this SignedReceipt signed, KeyTrust trust)
    {
        if (signed.Audit is not { } audit || !trust.Counts(audit.KeyId) || trust.Find(audit.KeyId) is not { } key) return false;
        var signature = new byte[MaxSignature];
        return Convert.TryFromBase64String(audit.Signature, signature, out var length) && key.Signed(signed.Receipt, signature[..length]);
    }
}
