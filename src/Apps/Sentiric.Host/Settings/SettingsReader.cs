using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using Sentiric.Media;

namespace Sentiric.Host.Settings;

/// <summary>Reads settings as what they should be. A wrong value is a <see cref="SettingsException"/> that names the setting as the environment does, and says what is needed.</summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly string _prefix = configuration is IConfigurationSection section ? section.Path + ":" : "";

    /// <summary>Null when it is absent or empty.</summary>
    public string? Text(string key) => configuration[key] is { Length: > 0 } text ? text : null;

    /// <summary>Comma separated; empty when it is absent.</summary>
    public string[] List(string key, string fallback = "") =>
        (Text(key) ?? fallback).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public int Number(string key, int fallback, int from, int to) => Text(key) is not { } text ? fallback
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to ? number
        : throw Wrong(key, $"a whole number from {from} to {to} is needed");

    public bool Switch(string key, bool fallback = false) => Text(key) is not { } text ? fallback
        : bool.TryParse(text, out var on) ? on : throw Wrong(key, "true or false is needed");

    /// <summary>Addresses or CIDR blocks.</summary>
    public IReadOnlyList<IPNetwork> Networks(string key, string fallback = "") => [.. List(key, fallback).Select(text =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : throw Wrong(key, text, "addresses or CIDR blocks are needed, e.g. 10.0.0.0/8"))];

    /// <summary>Names as in SDP, comma separated, in any case; each once.</summary>
    public IReadOnlyList<AudioCodec> Codecs(string key, string fallback = "") => [.. List(key, fallback).Select(name => AudioCodecNames.Named(name)
        ?? throw Wrong(key, name, $"only {string.Join(", ", Enum.GetValues<AudioCodec>().Select(codec => codec.EncodingName()))} are spoken here")).Distinct()];

    /// <summary>The setting as the environment names it.</summary>
    public string Name(string key) => (_prefix + key).Replace(":", "__", StringComparison.Ordinal);

    /// <summary>A password is not repeated.</summary>
    public SettingsException Wrong(string key, string needed) =>
        new(key.EndsWith("Password", StringComparison.Ordinal) ? $"{Name(key)}: {needed}." : $"{Name(key)} is '{Text(key)}': {needed}.");

    /// <summary>One of several values is wrong.</summary>
    public SettingsException Wrong(string key, string one, string needed) => new($"{Name(key)} has '{one}': {needed}.");
}
