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
            _keys.Add((Convert.FromHexString(section["Sha256"] ?? throw Bad(section)), new(section["Name"] ?? throw Bad(section), section["Tenant"],
                Enum.TryParse<KeyScope>(section["Scope"], ignoreCase: true, out var scope) ? scope : throw Bad(section))));
        }

        // Survives a restart, dies with the administrator's key.
        _sessionSecret = Hash("session:" + (adminKey ?? Convert.ToHexString(RandomNumberGenerator.GetBytes(32))));
    }

    public bool Any => _keys.Count > 0;

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
        if (parts.Length != 3 || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
            || expires < _clock.GetUtcNow().ToUnixTimeSeconds())
        {
            return null;
        }

        var expected = Convert.ToHexStringLower(HMACSHA256.HashData(_sessionSecret, Encoding.UTF8.GetBytes($"{parts[0]}.{parts[1]}")));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(parts[2]))
            ? _keys.Select(k => k.Key).FirstOrDefault(k => k.Name == parts[0])
            : null;
    }

    private static string ReadKey(string file) => File.Exists(file)
        ? File.ReadAllText(file).Trim()
        : throw new SettingsException($"Gateway__AdminKeyFile names '{file}', which does not exist. './sentiric setup' makes one.");

    private static SettingsException Bad(IConfigurationSection section) =>
        new($"{section.Path.Replace(":", "__", StringComparison.Ordinal)} needs Name, Sha256 (hex) and Scope (read or admin).");

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
