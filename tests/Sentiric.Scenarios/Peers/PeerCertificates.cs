using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sentiric.Sip;

namespace Sentiric.Scenarios.Peers;

/// <summary>A root that lives as long as a test, and our certificate for this machine by it.</summary>
internal static class PeerCertificates
{
    /// <summary>Writes the root's PEM, which the peer is told to believe.</summary>
    public static async Task<SipTlsOptions> IssueAsync(string rootFile)
    {
        using var rootKey = RSA.Create(2_048);
        var request = new CertificateRequest("CN=test root", rootKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var root = request.CreateSelfSigned(now.AddDays(-2), now.AddDays(2));
        await File.WriteAllTextAsync(rootFile, root.ExportCertificatePem() + "\n");

        using var key = RSA.Create(2_048);
        var ours = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost"); // linphone's TLS (mbedTLS) does not read addresses
        ours.CertificateExtensions.Add(names.Build());
        using var bare = ours.Create(root, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return new SipTlsOptions { Certificate = bare.CopyWithPrivateKey(key), TrustedRoots = Roots(rootFile) };
    }

    private static X509Certificate2Collection Roots(string file)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(file);
        return roots;
    }
}
