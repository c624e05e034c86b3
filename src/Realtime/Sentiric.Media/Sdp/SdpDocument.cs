using System.Net;

namespace Sentiric.Media;

/// <summary>An <c>a=</c> line; the value is absent for flags such as <c>a=sendrecv</c>.</summary>
public sealed record SdpAttribute(string Name, string? Value = null);

/// <summary>One <c>m=</c> section. <paramref name="Address"/> is its own <c>c=</c> line, if it has one.</summary>
public sealed record SdpMedia(
    string Kind, int Port, string Protocol, IReadOnlyList<string> Formats, string? Address, IReadOnlyList<SdpAttribute> Attributes)
{
    public string? Find(string attribute) =>
        Attributes.FirstOrDefault(a => string.Equals(a.Name, attribute, StringComparison.Ordinal))?.Value;

    public bool Has(string attribute) => Attributes.Any(a => string.Equals(a.Name, attribute, StringComparison.Ordinal));
}

/// <summary>The parts of a session description (RFC 8866) that offer/answer needs.</summary>
public sealed record SdpDocument(
    string Origin, string? Address, IReadOnlyList<SdpAttribute> Attributes, IReadOnlyList<SdpMedia> Media)
{
    /// <summary>Unspecified until a connection line says otherwise.</summary>
    public IPAddress? AddressOf(SdpMedia media) => IPAddress.TryParse(media.Address ?? Address, out var address) ? address : null;
}
