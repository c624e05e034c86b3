using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Write.Users;

/// <summary>RFC 7616 3.4.2: HA1 = H(username ":" realm ":" password), for the two algorithms that phones speak.</summary>
public static class DigestSecret
{
    public const int MinPassword = 8;
    public const int MaxPassword = 128;
    private const int MaxToken = 64;

    /// <summary>Stands for a password outside the bounds; a rule refuses it, so it is never stored.</summary>
    public static readonly SipSecret TooShort = new("", "");

    public static SipSecret Of(string realm, string username, string? password)
    {
        if (password is not { Length: >= MinPassword and <= MaxPassword })
        {
            return TooShort;
        }

        var clear = Encoding.UTF8.GetBytes($"{username}:{realm}:{password}");
        // MD5 is what RFC 3261 phones know (22.4); the hash never leaves the platform.
        return new(Convert.ToHexStringLower(MD5.HashData(clear)), Convert.ToHexStringLower(SHA256.HashData(clear)));
    }

    /// <summary>No character that needs quoting in a digest header or would make a stream's name ambiguous.</summary>
    public static bool IsToken(string? value) =>
        value is { Length: > 0 and <= MaxToken } && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
