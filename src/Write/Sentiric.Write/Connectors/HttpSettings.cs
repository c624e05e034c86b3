using System.Globalization;
using System.Net;
using Sentiric.Contracts;

namespace Sentiric.Write.Connectors;

/// <summary>
/// Settings of an http connector: <c>url</c> (http or https), <c>timeout_seconds</c> (1..30, default 5), <c>allow_private</c> ("true" lets it
/// reach addresses inside the network), <c>secret_header</c> (name of a header; its value comes from the write role's configuration, so
/// that no secret stands in an event).
/// </summary>
public sealed record HttpSettings(Uri Url, TimeSpan Timeout, bool AllowPrivate, string? SecretHeader)
{
    private const int DefaultTimeoutSeconds = 5;
    private const int MaxTimeoutSeconds = 30;

    public static Result<HttpSettings> Parse(IReadOnlyDictionary<string, string> settings)
    {
        if (!Uri.TryCreate(settings.GetValueOrDefault("url"), UriKind.Absolute, out var url)
            || (url.Scheme != "http" && url.Scheme != "https") || url.UserInfo.Length > 0)
        {
            return No("url is an absolute http or https address without a user name in it");
        }

        var allowPrivate = settings.GetValueOrDefault("allow_private", "false");
        if (allowPrivate is not ("true" or "false"))
        {
            return No("allow_private is true or false");
        }

        // A host name is judged by where it leads when the connector runs; an address can be judged now.
        if (allowPrivate == "false" && IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && !PublicAddress.Is(address))
        {
            return No("url leads to an address that is not public; set allow_private to true if that is meant");
        }

        var seconds = DefaultTimeoutSeconds;
        if (settings.TryGetValue("timeout_seconds", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds) || seconds is < 1 or > MaxTimeoutSeconds))
        {
            return No($"timeout_seconds is a number from 1 to {MaxTimeoutSeconds}");
        }

        var header = settings.GetValueOrDefault("secret_header");
        return header is null || (header.Length <= Valid.MaxId && header.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            ? new HttpSettings(url, TimeSpan.FromSeconds(seconds), allowPrivate == "true", header)
            : No("secret_header is the name of a header; its value is configured where the write role runs");
    }

    private static Refusal No(string why) => new("connector.bad_setting", $"The connector's settings are wrong: {why}.");
}
