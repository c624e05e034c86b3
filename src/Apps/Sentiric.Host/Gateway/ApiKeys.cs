using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sentiric.Host.Settings;

namespace Sentiric.Host.Gateway;

/// <summary>What a key may do: read answers questions only, admin commands too.</summary>
public enum KeyScope
{
    Read,
    Admin,
}

/// <param name="Tenant">The only tenant the key works on; null: any, named by the header X-Tenant.</param>
public sealed record ApiKey(string Name, string? Tenant, KeyScope Scope);

/// <summary>
/// Keys of API clients. The platform administrator's key stands in a file; more keys come as settings Gateway:Keys:N with
/// Name, Sha256 (lower-case hex of the key), Tenant and Scope. Keys are compared by hash, in constant time, and never logged.
/// </summary>
public sealed class ApiKeys
{
    private const int Sha256Bytes = 32;
    private const int SessionParts = 3;
    private static readonly TimeSpan SessionLifetime = TimeSpan.FromHours(12);
    private readonly List<(byte[] Hash, ApiKey Key)> _keys = [];
    private readonly byte[] _sessionSecret;
    private readonly TimeProvider _clock;

    public ApiKeys(HostSettings settings, IConfiguration configuration, TimeProvider clock)
    {
        _clock = clock;
        var adminKey = settings.AdminKeyFile is { } file ? ReadKey(file) : null;
        if (adminKey is not null)
        {
            _keys.Add((Hash(adminKey), new("admin", null, KeyScope.Admin)));
        }

        foreach (var section in configuration.GetSection("Gateway:Keys").GetChildren())
        {
            _keys.Add(Configured(section));
        }

        // Survives a restart, dies with the administrator's key.
        _sessionSecret = Hash("session:" + (adminKey ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(32))));
    }

    public ApiKey? Find(string presented)
    {
        var hash = Hash(presented);
        ApiKey? found = null;
        foreach (var (known, key) in _keys)
        {
            found = CryptographicOperations.FixedTimeEquals(known, hash) ? key : found;
        }

        return found;
    }

    /// <summary>A cookie value for the console: key name, expiry, HMAC.</summary>
    public string OpenSession(ApiKey key)
    {
        var body = $"{key.Name}.{_clock.GetUtcNow().Add(SessionLifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}";
        return $"{body}.{Convert.ToHexStringLower(HMACSHA256.HashData(_sessionSecret, Encoding.UTF8.GetBytes(body)))}";
    }

    public ApiKey? FindSession(string cookie)
    {
        var parts = cookie.Split('.');
        if (parts.Length != SessionParts || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            || expires < _clock.GetUtcNow().ToUnixTimeSeconds())
        {
            return null;
        }

        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(_sessionSecret, Encoding.UTF8.GetBytes($"{parts[0]}.{parts[1]}")));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(parts[2]))
            ? _keys.Select(k => k.Key).FirstOrDefault(k => k.Name == parts[0])
            : null;
    }

    private static string ReadKey(string file) => !File.Exists(file)
        ? throw new SettingsException($"Gateway__AdminKeyFile names '{file}', which does not exist. './sentiric setup' makes one.")
        : File.ReadAllText(file).Trim() is { Length: > 0 } key
            ? key
            : throw new SettingsException($"Gateway__AdminKeyFile names '{file}', which is empty: an empty key would open every door.");

    // A dot separates the parts of a session, so a name has none.
    private static (byte[] Hash, ApiKey Key) Configured(IConfigurationSection section)
    {
        var hash = new byte[Sha256Bytes];
        var whole = section["Sha256"] is { Length: 2 * Sha256Bytes } hex && Convert.FromHexString(hex, hash, out _, out _) == System.Buffers.OperationStatus.Done;
        return whole && section["Name"] is { Length: > 0 } name && !name.Contains('.', StringComparison.Ordinal) && Scope(section["Scope"]) is { } scope
            ? (hash, new(name, section["Tenant"] is { Length: > 0 } tenant ? tenant : null, scope))
            : throw Bad(section);
    }

    private static KeyScope? Scope(string? text) => text?.ToLowerInvariant() switch
    {
        "read" => KeyScope.Read,
        "admin" => KeyScope.Admin,
        _ => null,
    };

    private static SettingsException Bad(IConfigurationSection section) =>
        new($"{section.Path.Replace(":", "__", StringComparison.Ordinal)} needs Name (without a dot), Sha256 (64 hex digits) and Scope (read or admin).");

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
