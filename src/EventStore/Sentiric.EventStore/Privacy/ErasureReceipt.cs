using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>What was done to forget somebody. No personal value is in it.</summary>
/// <param name="Counts">Per place: how many items were destroyed, deleted or written anew there.</param>
/// <param name="Findings">What a search of the tables still found of the person; empty is what it should be.</param>
public sealed record ErasureReceipt(
    Guid Erasure, string Tenant, string SubjectHash, string Reason, string Actor, DateTimeOffset RequestedAt, DateTimeOffset DestroyedAt, DateTimeOffset FinishedAt,
    int KeysDestroyed, int Streams, IReadOnlyDictionary<string, long> Counts, IReadOnlyList<string> Findings);

/// <summary>The JSON of a receipt as it was signed, byte for byte, and the signature over its UTF-8.</summary>
public sealed record SignedReceipt(string Receipt, string KeyId, string Algorithm, string Signature);

public interface IReceiptSigner
{
    string KeyId { get; }

    string Algorithm { get; }

    byte[] Sign(ReadOnlySpan<byte> receipt);

    bool IsSignature(string keyId, ReadOnlySpan<byte> receipt, ReadOnlySpan<byte> signature);
}

/// <summary>HMAC-SHA256 with a key derived from a master key: proves to the operator, not to a third party, that the receipt is ours.</summary>
public sealed class MasterKeySigner(MasterKeys master) : IReceiptSigner
{
    private const string Purpose = "erasure receipts";

    public string KeyId => master.CurrentId;

    public string Algorithm => "HMAC-SHA256";

    public byte[] Sign(ReadOnlySpan<byte> receipt) => HMACSHA256.HashData(master.Derive(KeyId, Purpose), receipt);

    public bool IsSignature(string keyId, ReadOnlySpan<byte> receipt, ReadOnlySpan<byte> signature) =>
        master.Has(keyId) && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(master.Derive(keyId, Purpose), receipt), signature);
}

public static class Receipts
{
    public static SignedReceipt Signed(this IReceiptSigner signer, ErasureReceipt receipt)
    {
        var body = JsonSerializer.Serialize(receipt, ErasureJson.Default.ErasureReceipt);
        return new SignedReceipt(body, signer.KeyId, signer.Algorithm, Convert.ToBase64String(signer.Sign(Encoding.UTF8.GetBytes(body))));
    }

    /// <summary>Whether the receipt is as it was signed, by a key that this signer knows.</summary>
    public static bool IsGenuine(this IReceiptSigner signer, SignedReceipt signed)
    {
        var signature = new byte[1_024];
        return signed.Algorithm == signer.Algorithm && Convert.TryFromBase64String(signed.Signature, signature, out var length)
            && signer.IsSignature(signed.KeyId, Encoding.UTF8.GetBytes(signed.Receipt), signature.AsSpan(0, length));
    }
}
