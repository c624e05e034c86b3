using System.Security.Cryptography;

namespace Sentiric.Sip;

/// <summary>Answers 401 and 407 (RFC 3261 22, RFC 7616, RFC 8760).</summary>
public static class DigestClient
{
    /// <summary>The header to send along, or null when no challenge can be answered: foreign realm, unknown algorithm, or a refused password.</summary>
    /// <param name="isRetry">Credentials were sent already: only a stale nonce is worth another try.</param>
    public static KeyValuePair<string, string>? Answer(
        SipResponse challenge, SipCredentials credentials, string method, string uri, bool isRetry)
    {
        string header = challenge.StatusCode == 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
        DigestParameters? best = challenge.Headers(header)
            .Select(DigestParameters.Parse)
            .Where(one => one is { Algorithm: not null } && one["nonce"] is not null && one["realm"] is not null)
            .Where(one => credentials.Realm is null || credentials.Realm.Equals(one!["realm"], StringComparison.Ordinal))
            .Where(one => one!["qop"] is null || HasAuth(one["qop"]!))
            .MaxBy(one => one!.Algorithm);
        bool stale = "true".Equals(best?["stale"], StringComparison.OrdinalIgnoreCase);
        if (best is null || (isRetry && !stale))
        {
            return null;
        }

        return new(challenge.StatusCode == 407 ? "Proxy-Authorization" : "Authorization", Credentials(best, credentials, method, uri));
    }

    private static bool HasAuth(string qop) => qop.Split(',', StringSplitOptions.TrimEntries).Contains("auth", StringComparer.OrdinalIgnoreCase);

    private static string Credentials(DigestParameters challenge, SipCredentials credentials, string method, string uri)
    {
        const string nc = "00000001";
        DigestAlgorithm algorithm = challenge.Algorithm ?? DigestAlgorithm.Md5;
        string realm = challenge["realm"] ?? "";
        string nonce = challenge["nonce"] ?? "";
        string? qop = challenge["qop"] is null ? null : "auth";
        string cnonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        string secret = DigestMath.Secret(algorithm, credentials.UserName, realm, credentials.Password);
        string response = DigestMath.Response(algorithm, secret, method, uri, nonce, qop, nc, cnonce);
        string text = $"Digest username=\"{Quote(credentials.UserName)}\", realm=\"{Quote(realm)}\", nonce=\"{Quote(nonce)}\", uri=\"{uri}\", "
            + $"response=\"{response}\", algorithm={(algorithm == DigestAlgorithm.Sha256 ? "SHA-256" : "MD5")}";
        text += qop is null ? "" : $", qop=auth, cnonce=\"{cnonce}\", nc={nc}";
        return challenge["opaque"] is { } opaque ? text + $", opaque=\"{Quote(opaque)}\"" : text;
    }

    private static string Quote(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
