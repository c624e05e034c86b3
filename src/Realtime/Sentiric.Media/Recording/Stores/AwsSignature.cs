using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Media;

/// <summary>Who signs requests to an S3-compatible store.</summary>
public sealed record S3Credentials(string AccessKey, string SecretKey);

/// <summary>
/// AWS Signature Version 4 in the Authorization header, as S3 wants it: paths are encoded once, the payload's hash is a header of its own
/// (Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header").
/// <code>
///   request ─► canonical request ─► SHA-256 ─► string to sign ─┐
///   secret ─► date ─► region ─► service ─► "aws4_request" ─────┴─► HMAC-SHA256
/// </code>
/// Pure: the moment comes in.
/// </summary>
public static class AwsSignature
{
    public const string EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Service = "s3";

    /// <summary>How a moment is written in <c>x-amz-date</c>.</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The value of the Authorization header.</summary>
    /// <param name="path">Not yet encoded, beginning with a slash.</param>
    /// <param name="query">Not yet encoded.</param>
    /// <param name="headers">All that are to be signed: at least host, x-amz-date and x-amz-content-sha256.</param>
    /// <param name="payloadHash">Lower-case hex of the SHA-256 of the body.</param>
    public static string Authorize(
        string method, string path, IEnumerable<KeyValuePair<string, string>> query, IEnumerable<KeyValuePair<string, string>> headers, string payloadHash,
        S3Credentials credentials, string region, DateTimeOffset at)
    {
        var signed = headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: h.Value.Trim())).OrderBy(h => h.Name, StringComparer.Ordinal).ToList();
        var names = string.Join(';', signed.Select(h => h.Name));
        var canonical = string.Join('\n', [
            method, EncodePath(path), CanonicalQuery(query), .. signed.Select(h => $"{h.Name}:{h.Value}"), "", names, payloadHash]);
        var scope = $"{Time(at)[..8]}/{region}/{Service}/aws4_request";
        var toSign = $"{Algorithm}\n{Time(at)}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Convert.ToHexStringLower(Hmac(SigningKey(credentials.SecretKey, Time(at)[..8], region), toSign));
        return $"{Algorithm} Credential={credentials.AccessKey}/{scope},SignedHeaders={names},Signature={signature}";
    }

    /// <summary>Each byte but the unreserved ones (RFC 3986 2.3) and the slash as %XY.</summary>
    public static string EncodePath(string path) => string.Join('/', path.Split('/').Select(Encode));

    private static string CanonicalQuery(IEnumerable<KeyValuePair<string, string>> query) => string.Join('&', query
        .Select(q => (Name: Encode(q.Key), Value: Encode(q.Value))).OrderBy(q => q.Name, StringComparer.Ordinal).ThenBy(q => q.Value, StringComparer.Ordinal)
        .Select(q => $"{q.Name}={q.Value}"));

    private static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || octet is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~') encoded.Append((char)octet);
            else encoded.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }
        return encoded.ToString();
    }

    private static byte[] SigningKey(string secret, string date, string region) =>
        Hmac(Hmac(Hmac(Hmac(Encoding.UTF8.GetBytes("AWS4" + secret), date), region), Service), "aws4_request");

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
