using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Sip;

/// <summary>What the check of a request's credentials found.</summary>
public enum DigestOutcome
{
    Authenticated,

    /// <summary>No credentials for this realm.</summary>
    Missing,

    /// <summary>Right form, but the nonce is too old, was not ours, or its count was used before.</summary>
    Stale,

    /// <summary>Unknown user or wrong password; both look alike from outside.</summary>
    Wrong,
}

/// <summary>The outcome; the account when authenticated, else the 401 to answer with.</summary>
public sealed record DigestVerdict(DigestOutcome Outcome, SipAccount? Account, SipAnswer? Challenge, string? UserName);

/// <summary>
/// Digest authentication of requests (RFC 3261 22, RFC 7616, RFC 8760: SHA-256 first, then MD5). A nonce carries its time
/// under an HMAC, so nothing is kept for challenges; only nonces that authenticated have their counts remembered, in a bounded
/// table. Thread-safe.
/// </summary>
/// <param name="algorithms">One challenge each, in this order; no other is accepted. Both when null, SHA-256 first. MD5 alone is for phones that read
/// several challenges as one, as sipp and some old ones do.</param>
public sealed class DigestServer(
    string realm, ICredentialStore accounts, TimeProvider time, TimeSpan? nonceLifetime = null, IReadOnlyList<DigestAlgorithm>? algorithms = null)
{
    /// <summary>Nonces whose counts are remembered; when the table is full the oldest go and count as stale from then on.</summary>
    private const int MaxRememberedNonces = 50_000;
    private const int NonceBytes = 32;

    private readonly IReadOnlyList<DigestAlgorithm> offered = algorithms ?? [DigestAlgorithm.Sha256, DigestAlgorithm.Md5];
    private readonly TimeSpan lifetime = nonceLifetime ?? TimeSpan.FromMinutes(5);
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly Lock gate = new();

    // All three guarded by the gate.
    private readonly Dictionary<string, NonceUse> uses = new(StringComparer.Ordinal);
    private readonly Queue<(string Nonce, long IssuedMs)> usesByAge = new();
    private long forgottenBeforeMs = long.MinValue;

    public string Realm => realm;

    /// <summary>Checks Authorization against the account store.</summary>
    public async ValueTask<DigestVerdict> CheckAsync(SipRequest request, CancellationToken ct)
    {
        DigestParameters? given = request.Headers("Authorization").Select(DigestParameters.Parse)
            .FirstOrDefault(one => one is { Algorithm: not null } && realm.Equals(one["realm"], StringComparison.Ordinal));
        if (given is null || given["username"] is not { } userName || given["nonce"] is not { } nonce || given["response"] is not { } response)
        {
            return Challenge(DigestOutcome.Missing, null);
        }

        if (!IsForThisRequest(given, request) || given.Algorithm is not { } algorithm || !offered.Contains(algorithm))
        {
            return Challenge(DigestOutcome.Wrong, userName);
        }

        SipAccount? account = await accounts.FindAsync(realm, userName, ct).ConfigureAwait(false);
        // An unknown user costs the same arithmetic as a known one.
        string secret = account?.Secret(algorithm) ?? DigestMath.Hash(algorithm, "nobody");
        string expected = DigestMath.Response(algorithm, secret, request.Method, given["uri"] ?? "", nonce, given["qop"], given["nc"], given["cnonce"]);
        bool right = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(response.ToLowerInvariant()));
        if (!right || account?.Secret(algorithm) is null)
        {
            return Challenge(DigestOutcome.Wrong, userName);
        }

        return TryUse(nonce, given["nc"]) ? new DigestVerdict(DigestOutcome.Authenticated, account, null, userName) : Challenge(DigestOutcome.Stale, userName);
    }

    /// <summary>RFC 7616 3.4.6: the digest covers this very target; qop=auth is demanded so that a count protects from replay.</summary>
    private static bool IsForThisRequest(DigestParameters given, SipRequest request) =>
        "auth".Equals(given["qop"], StringComparison.OrdinalIgnoreCase)
        && SipUri.TryParse(given["uri"] ?? "", out SipUri? uri)
        && uri.AddressOfRecord.Equals(request.Uri.AddressOfRecord, StringComparison.Ordinal);

    private DigestVerdict Challenge(DigestOutcome outcome, string? userName)
    {
        string nonce = NewNonce();
        string stale = outcome == DigestOutcome.Stale ? ", stale=true" : "";
        KeyValuePair<string, string> Header(DigestAlgorithm algorithm) =>
            new("WWW-Authenticate", $"Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={DigestParameters.NameOf(algorithm)}, qop=\"auth\"{stale}");
        return new DigestVerdict(outcome, null, new SipAnswer(401, null, offered.Select(Header).ToList()), userName);
    }

    private string NewNonce()
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        BinaryPrimitives.WriteInt64BigEndian(nonce, time.GetUtcNow().ToUnixTimeMilliseconds());
        RandomNumberGenerator.Fill(nonce[8..16]);
        Seal(nonce[..16]).AsSpan(0, 16).CopyTo(nonce[16..]);
        return Convert.ToHexStringLower(nonce);
    }

    private byte[] Seal(ReadOnlySpan<byte> timeAndSalt) => HMACSHA256.HashData(key, timeAndSalt);

    /// <summary>The nonce is ours and young, and its count was not used before.</summary>
    private bool TryUse(string nonce, string? count)
    {
        if (!TryReadNonce(nonce, out long issuedMs) || !uint.TryParse(count, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint nc) || nc == 0)
        {
            return false;
        }

        lock (gate)
        {
            Forget();
            if (issuedMs < forgottenBeforeMs)
            {
                return false;
            }

            if (!uses.TryGetValue(nonce, out NonceUse? use))
            {
                use = uses[nonce] = new NonceUse();
                usesByAge.Enqueue((nonce, issuedMs));
            }

            return use.TryCount(nc);
        }
    }

    private bool TryReadNonce(string nonce, out long issuedMs)
    {
        Span<byte> bytes = stackalloc byte[NonceBytes];
        issuedMs = 0;
        if (nonce.Length != NonceBytes * 2 || Convert.FromHexString(nonce, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        issuedMs = BinaryPrimitives.ReadInt64BigEndian(bytes);
        bool ours = CryptographicOperations.FixedTimeEquals(Seal(bytes[..16]).AsSpan(0, 16), bytes[16..]);
        double ageMs = time.GetUtcNow().ToUnixTimeMilliseconds() - issuedMs;
        return ours && ageMs >= 0 && ageMs <= lifetime.TotalMilliseconds;
    }

    private void Forget()
    {
        long oldestMs = time.GetUtcNow().ToUnixTimeMilliseconds() - (long)lifetime.TotalMilliseconds;
        while (usesByAge.TryPeek(out var oldest) && (oldest.IssuedMs < oldestMs || usesByAge.Count >= MaxRememberedNonces))
        {
            usesByAge.Dequeue();
            uses.Remove(oldest.Nonce);
            // A forgotten count must not open the door to a replay, so everything that old is stale now.
            forgottenBeforeMs = Math.Max(forgottenBeforeMs, oldest.IssuedMs + 1);
        }
    }

    /// <summary>The highest count seen and the 64 below it: requests may overtake one another, none may come twice.</summary>
    private sealed class NonceUse
    {
        private uint highest;
        private ulong window;

        public bool TryCount(uint nc)
        {
            if (nc > highest)
            {
                uint ahead = nc - highest;
                window = ahead >= 64 ? 1 : (window << (int)ahead) | 1;
                highest = nc;
                return true;
            }

            uint behind = highest - nc;
            if (behind >= 64 || (window & (1UL << (int)behind)) != 0)
            {
                return false;
            }

            window |= 1UL << (int)behind;
            return true;
        }
    }
}
