namespace Sentiric.Host.Settings;

/// <summary>The systems of the platform. One process runs any set of them; each runs alone too.</summary>
public enum Role
{
    Gateway,
    Write,
    Read,
    Sip,
    Media,
    Agent,
    Stt,
    Tts,
}

/// <summary>The roles of this process: <c>--roles sip,media</c>; all of them by default.</summary>
public sealed record RoleSet(IReadOnlySet<Role> Roles)
{
    public static readonly RoleSet All = new(Enum.GetValues<Role>().ToHashSet());

    public bool IsAll => Roles.Count == All.Roles.Count;

    public bool Has(Role role) => Roles.Contains(role);

    public override string ToString() => string.Join(',', Roles.Order().Select(r => r.ToString().ToLowerInvariant()));

    /// <summary>Throws <see cref="SettingsException"/> naming the word that is no role.</summary>
    public static RoleSet Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Equals("all", StringComparison.OrdinalIgnoreCase))
        {
            return All;
        }

        var roles = new HashSet<Role>();
        foreach (var word in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            roles.Add(Enum.TryParse<Role>(word, ignoreCase: true, out var role) && !int.TryParse(word, out _)
                ? role
                : throw new SettingsException($"'{word}' is not a role. Roles: {All}."));
        }

        return roles.Count > 0 ? new(roles) : throw new SettingsException($"'{text}' names no role. Roles: {All}.");
    }
}

/// <summary>A setting that is missing or wrong: stops the start with a message that says which and what to do.</summary>
public sealed class SettingsException(string message) : Exception(message);
