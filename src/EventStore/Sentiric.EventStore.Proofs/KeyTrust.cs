using System.Security.Cryptography;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// Which keys count. Given are the keys that somebody holds in hand; a key that a counting key has signed for counts as well.
/// Other recorded keys are known, so that their signatures can be checked, but nothing rests on them alone.
/// </summary>
public sealed class KeyTrust
{
    private readonly Dictionary<string, AuditPublicKey> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _trusted = new(StringComparer.Ordinal);

    public KeyTrust(IReadOnlyList<KeyRecord> records, IReadOnlyList<AuditPublicKey> trusted)
    {
        foreach (var key in trusted)
        {
            _known[key.Id] = key;
            _trusted.Add(key.Id);
        }
        var faults = new List<KeyFault>();
        var sound = records.Where(r => Read(r, faults)).ToList();
        sound.RemoveAll(r => !IsEndorsed(r, faults));
        while (sound.RemoveAll(r => _trusted.Contains(r.EndorsedBy) && _trusted.Add(r.KeyId)) > 0) sound.RemoveAll(r => _trusted.Contains(r.KeyId));
        Faults = faults;
    }

    /// <summary>Records that do not hold together.</summary>
    public IReadOnlyList<KeyFault> Faults { get; }

    public AuditPublicKey? Find(string keyId) => _known.GetValueOrDefault(keyId);

    public bool Counts(string keyId) => _trusted.Contains(keyId);

    private bool Read(KeyRecord record, List<KeyFault> faults)
    {
        try
        {
            var key = AuditPublicKey.Of(record.PublicKey);
            if (key.Id == record.KeyId)
            {
                _known.TryAdd(key.Id, key);
                return true;
            }
            faults.Add(new(record.KeyId, "the id does not belong to the public key"));
        }
        catch (CryptographicException)
        {
            faults.Add(new(record.KeyId, "the public key is none"));
        }
        return false;
    }

    private bool IsEndorsed(KeyRecord record, List<KeyFault> faults)
    {
        if (Find(record.EndorsedBy) is { } by && by.Signed(record.Text, record.Endorsement)) return true;
        faults.Add(new(record.KeyId, $"the signature of key '{record.EndorsedBy}' that vouches for it is missing or wrong"));
        return false;
    }
}

/// <summary>A key record that does not hold together, and why.</summary>
public sealed record KeyFault(string KeyId, string Why);
