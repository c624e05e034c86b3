using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sentiric.Sip.Tests.Transports;

/// <summary>A certificate authority that lives as long as a test.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";
    private readonly X509Certificate2 root;

    public TestAuthority(string name = "test root")
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(2));
    }

    public X509Certificate2Collection Roots => [root];

    public string RootPem => root.ExportCertificatePem();

    /// <summary>A certificate that speaks for these: sip:domain, an IP address, or a DNS name; by its common name only when there are none.</summary>
    public X509Certificate2 Issue(string commonName, string[] names, TimeSpan? validFor = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerUse), new Oid(ClientUse)], false));
        if (names.Length > 0)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            foreach (string name in names)
            {
                if (name.StartsWith("sip:", StringComparison.Ordinal))
                {
                    alternatives.AddUri(new Uri(name));
                }
                else if (IPAddress.TryParse(name, out IPAddress? address))
                {
                    alternatives.AddIpAddress(address);
                }
                else
                {
                    alternatives.AddDnsName(name);
                }
            }

            request.CertificateExtensions.Add(alternatives.Build());
        }

        DateTimeOffset end = DateTimeOffset.UtcNow + (validFor ?? TimeSpan.FromDays(1));
        using X509Certificate2 bare = request.Create(root, DateTimeOffset.UtcNow.AddDays(-1), end, RandomNumberGenerator.GetBytes(8));
        return bare.CopyWithPrivateKey(key);
    }

    public SipTlsOptions Options(params string[] names) => new() { Certificate = Issue("sip.example", names), TrustedRoots = Roots };

    public static string Pem(X509Certificate2 certificate)
    {
        using ECDsa? key = certificate.GetECDsaPrivateKey();
        return new StringBuilder(certificate.ExportCertificatePem()).Append('\n').Append(key!.ExportPkcs8PrivateKeyPem()).Append('\n').ToString();
    }

    public void Dispose() => root.Dispose();
}
