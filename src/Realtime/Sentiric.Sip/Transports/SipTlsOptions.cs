using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sentiric.Sip;

/// <summary>Who we are over TLS and whom we believe. TLS 1.2 and 1.3; the peer of a connection that we open is always validated (RFC 5922).</summary>
public sealed record SipTlsOptions
{
    /// <summary>Ours, with its private key: shown to whoever connects, and to servers that ask for one.</summary>
    public required X509Certificate2 Certificate { get; init; }

    /// <summary>Certificates between ours and its root, sent along.</summary>
    public X509Certificate2Collection Intermediates { get; init; } = [];

    /// <summary>Roots that are believed; null: those of the machine.</summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>Whoever connects must show a certificate that a believed root vouches for.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>Revocation lists and OCSP need the network; a trunk's own root rarely has either.</summary>
    public X509RevocationMode Revocation { get; init; } = X509RevocationMode.NoCheck;

    /// <summary>Reads PEM files: our certificate followed by its intermediates, the key (or in the same file), and believed roots.</summary>
    /// <exception cref="CryptographicException">A file holds no such PEM, or the key is not the certificate's.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static SipTlsOptions FromFiles(string certificateFile, string? keyFile = null, string? trustFile = null)
    {
        X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile ?? certificateFile);
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(certificateFile);
        return new SipTlsOptions { Certificate = certificate, Intermediates = [.. all.Skip(1)], TrustedRoots = trustFile is null ? null : Roots(trustFile) };
    }

    private static X509Certificate2Collection Roots(string file)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(file);
        return roots.Count > 0 ? roots : throw new CryptographicException($"'{file}' holds no certificate.");
    }
}
